#include "mcp_config.hpp"

#include <pyro/mcp/client_config.hpp>

#include <filesystem>

namespace pyro::app {

Json configure_mcp(const cli::McpConfigRequest& request) {
  mcp::ClientConfigRequest wanted;
  wanted.client = request.client;
  wanted.scope = request.project ? mcp::ConfigScope::project : mcp::ConfigScope::user;
  wanted.directory = std::filesystem::absolute(request.directory).lexically_normal().string();
  wanted.program = std::filesystem::read_symlink("/proc/self/exe").string();
  const auto config = mcp::client_config(wanted);
  const bool is_to_write = request.write && !config.is_there;
  if (is_to_write) {
    mcp::write_client_config(config);
  }
  return {
      {"client", request.client},
      {"path", config.path},
      {"addition", config.addition},
      {"is_there", config.is_there},
      {"written", is_to_write}};
}

} // namespace pyro::app
