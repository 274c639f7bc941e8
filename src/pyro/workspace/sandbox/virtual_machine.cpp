#include "virtual_machine.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/safe_text.hpp>
#include <pyro/base/units.hpp>
#include <pyro/os/directory.hpp>

#include <algorithm>
#include <cstdlib>

namespace pyro::workspace {

namespace {

constexpr std::int64_t k_default_budget = 2LL << 30;
constexpr std::int64_t k_least_memory_mib = 256;
constexpr std::int64_t k_least_disk = 64LL << 20;

} // namespace

std::string templates_directory(const store::Base& base) {
  const char* given = std::getenv("PYRO_TEMPLATES");
  require_utf8(given != nullptr ? given : "", "the variable PYRO_TEMPLATES");
  return given != nullptr && *given == '/' ? store::without_symlinks(given) : base.root() + "/templates";
}

std::vector<std::string> saved_templates(const store::Base& base) {
  std::vector<std::string> found;
  const auto directory = templates_directory(base);
  for (const auto& name : os::list_directory(directory)) {
    if (store::is_digest(name)) {
      found.push_back(directory + "/" + name);
    }
  }
  return found;
}

std::int64_t template_budget() {
  const char* given = std::getenv("PYRO_TEMPLATE_BUDGET");
  if (given == nullptr || *given == '\0') {
    return k_default_budget;
  }
  if (std::string_view(given) == "0") {
    return 0;
  }
  try {
    return static_cast<std::int64_t>(parse_size(given));
  } catch (Error& error) {
    throw error.add_context("PYRO_TEMPLATE_BUDGET");
  }
}

backend::VirtualMachine describe_machine(const Context& context, const SandboxRequest& request) {
  const auto kernel = context.guest_kernels.require();
  backend::VirtualMachine machine;
  machine.kernel = kernel.kernel_path;
  machine.initrd = kernel.initrd_path;
  machine.kernel_digest = kernel.digest;
  machine.layer_images = context.layer_images.images_of(request.layers);
  for (const auto& directory : request.host_directories) {
    machine.part_images.push_back({directory.at, context.host_images.image_of(directory.at)});
  }
  const auto& limits = request.spec.limits;
  machine.cpus = std::max<std::int64_t>(limits.cpus, 1);
  machine.memory_mib = std::max(limits.memory_bytes >> 20, k_least_memory_mib);
  machine.scratch_bytes = std::max(limits.disk_bytes, k_least_disk);
  machine.templates_dir = templates_directory(context.base);
  machine.template_budget = template_budget();
  machine.saved = request.saved;
  return machine;
}

} // namespace pyro::workspace
