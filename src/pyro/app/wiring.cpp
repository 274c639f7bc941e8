#include "wiring.hpp"

#include <pyro/backend/backend.hpp>
#include <pyro/backend/firecracker/firecracker_backend.hpp>
#include <pyro/backend/host/host_backend.hpp>
#include <pyro/backend/namespaces/namespaces_backend.hpp>
#include <pyro/backend/qemu/qemu_backend.hpp>
#include <pyro/base/safe_text.hpp>
#include <pyro/node/placed_engine.hpp>
#include <pyro/store/layout.hpp>
#include <pyro/workspace/sandbox/virtual_machine.hpp>

#include <system_error>

#include <cstdlib>
#include <filesystem>

namespace pyro::app {

namespace {

std::string find_libexec_directory() {
  namespace fs = std::filesystem;
  if (const char* chosen = std::getenv("PYRO_LIBEXEC"); chosen != nullptr && *chosen != '\0') {
    return fs::absolute(chosen).string();
  }
  const auto own = fs::read_symlink("/proc/self/exe").parent_path();
  const auto installed = own.parent_path() / "libexec" / "pyro";
  std::error_code unreachable; // as it is where we may not even look
  return (fs::exists(installed / "pyro-agent", unreachable) ? installed : own).string();
}

} // namespace

std::string libexec_directory() {
  static const auto s_directory = find_libexec_directory();
  return s_directory;
}

std::unique_ptr<operations::Engine>
make_wired_engine(operations::Settings settings, operations::Callbacks callbacks) {
  const auto helpers = libexec_directory();
  require_utf8(helpers, "the path of pyro's programs");
  settings.agent_path = helpers + "/pyro-agent";
  settings.gateway_path = helpers + "/pyro-gateway";
  const auto base = settings.base.empty() ? store::Base::from_environment() : store::Base(settings.base);
  settings.backends = {
      backend::host::make_backend(helpers + "/pyro-supervisor"),
      backend::namespaces::make_backend(helpers + "/pyro-supervisor", base.staging()),
      backend::qemu::make_backend(helpers + "/pyro-supervisor", workspace::templates_directory(base)),
      // Last: of two that isolate as much "auto" takes the first.
      backend::firecracker::make_backend(
          helpers + "/pyro-supervisor-firecracker", workspace::templates_directory(base))};
  return operations::make_engine(std::move(settings), std::move(callbacks));
}

std::unique_ptr<operations::Engine>
make_front_engine(operations::Settings settings, const operations::Callbacks& callbacks) {
  if (settings.base.empty()) { // found out once
    settings.base = store::Base::from_environment().root();
  }
  return node::make_placed_engine(settings, callbacks, make_wired_engine, libexec_directory() + "/pyro-node");
}

} // namespace pyro::app
