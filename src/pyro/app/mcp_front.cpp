#include "mcp_front.hpp"

#include "mcp_http_front.hpp"
#include "wiring.hpp"

#include <pyro/base/error.hpp>
#include <pyro/cli/interrupts.hpp>
#include <pyro/launcher/launcher.hpp>
#include <pyro/mcp/stdio.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/store/layout.hpp>

#include <filesystem>
#include <unistd.h>

namespace pyro::app {

namespace {

std::string calls_directory() {
  const auto base = store::Base::from_environment();
  base.prepare();
  auto directory = base.root() + "/mcp/calls";
  os::make_directories(directory);
  return directory;
}

mcp::ServerOptions options_of(const cli::McpServeRequest& request) {
  mcp::ServerOptions options;
  const auto profile = mcp::profile_of(request.profile);
  if (!profile) {
    throw Error(ErrorCode::usage, "there is no profile '{}': core, workspace or full", request.profile);
  }
  options.tools.profile = *profile;
  options.tools.read_only = request.read_only;
  options.patience = request.answer_within;
  options.calls_directory = calls_directory;
  options.settings.trust_once = request.trust_once;
  options.settings.lock_timeout = request.lock_timeout;
  if (!request.project_path.empty()) {
    options.tools.project_path = std::filesystem::absolute(request.project_path).lexically_normal().string();
    if (!std::filesystem::is_directory(options.tools.project_path)) {
      throw Error(ErrorCode::usage, "--project-path: {} is no directory", options.tools.project_path);
    }
  }
  return options;
}

} // namespace

int serve_mcp(const cli::McpServeRequest& request) {
  launcher::Launcher launcher(libexec_directory() + "/pyro-launcher");
  mcp::Server server(launcher, options_of(request));
  const bool is_over = request.http.empty()
                           ? mcp::serve_stdio(server, STDIN_FILENO, STDOUT_FILENO, cli::interrupted)
                           : serve_mcp_http(server, request);
  if (!is_over) {
    ::_exit(0);
  }
  return 0;
}

} // namespace pyro::app
