// pyro: the command line. Linked statically, since looking up the names of shared libraries costs more than
// all that most commands do. So the MCP server, whose HTTP library cannot be linked so, is a program of its
// own.
#include "mcp_config.hpp"
#include "program.hpp"
#include "ssh_front.hpp"
#include "wiring.hpp"

#include <pyro/base/error.hpp>

#include <cerrno>
#include <cstring>
#include <string>
#include <unistd.h>

namespace {

/// Ends this program, and begins the server with the same arguments in its place.
[[noreturn]] void become_mcp_server(char** argv) {
  const auto server = pyro::app::libexec_directory() + "/pyro-mcp";
  ::execv(server.c_str(), argv);
  throw pyro::Error(pyro::ErrorCode::unavailable, "{}: {}", server, std::strerror(errno))
      .with_hint("it is installed with pyro; `make` builds it");
}

} // namespace

int main(int argc, char** argv) {
  const auto serve = [argv](const pyro::cli::McpServeRequest&) -> int {
    become_mcp_server(argv);
  };
  return pyro::app::run_program(argc, argv, {serve, pyro::app::configure_mcp}, pyro::app::configure_ssh);
}
