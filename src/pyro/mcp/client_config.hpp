// The configuration files of MCP clients: what to add so that they start our server, and adding it without
// losing anything of what is there.
#pragma once

#include <pyro/base/json_access.hpp>

#include <string>

namespace pyro::mcp {

enum class ConfigScope { user, project };

struct ClientConfigRequest {
  std::string client; // claude-code, codex, opencode, cursor, vscode, zed
  ConfigScope scope = ConfigScope::user;
  std::string directory; // of the project
  std::string program;   // what the client starts in user scope: an absolute path
};

struct ClientConfig {
  std::string path;        // the file
  std::string addition;    // all of it where there is no file yet
  bool is_there = false;   // the file has exactly this already
  std::string before;      // the file as it was read; empty: there is none
  std::string changed;     // with the addition
  bool is_private = false; // a new file is for its owner alone
};

/// Throws Error: usage for an unknown client or a scope that it has not; already_exists or invalid_argument
/// where the file cannot be merged safely, with what to add as the hint.
ClientConfig client_config(const ClientConfigRequest& request);

/// Puts `changed` in the place of the file, with its mode, also where a symlink leads to it. Throws
/// Error(stale) where it has changed since.
void write_client_config(const ClientConfig& config);

} // namespace pyro::mcp
