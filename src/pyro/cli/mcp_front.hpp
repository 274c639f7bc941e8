// How `pyro mcp …` reaches the MCP server, which is a front of its own: app/ hands it in.
#pragma once

#include <pyro/base/json_access.hpp>

#include <chrono>
#include <functional>
#include <string>

namespace pyro::cli {

struct McpServeRequest {
  std::string profile;      // core, workspace, full
  std::string project_path; // where pyro.yaml is by default; empty: the current directory
  bool read_only = false;
  std::chrono::milliseconds answer_within{0};
  std::string http;        // address to listen at; empty: standard input and output
  std::string token_file;  // with `http`; empty: a token is made
  bool trust_once = false; // PYRO_TRUST, --trust
  std::chrono::milliseconds lock_timeout{60'000};
};

/// Serves until the client on standard input goes or a signal comes; the exit status.
using ServeMcp = std::function<int(const McpServeRequest&)>;

struct McpConfigRequest {
  std::string client;    // "claude-code"
  bool project = false;  // in a file of the project instead of the user's
  std::string directory; // of the project
  bool write = false;
};

/// {"client", "path", "addition", "is_there", "written"}: the file of the client's configuration, what
/// belongs into it, whether it was there already, and whether it was put there now.
using ConfigureMcp = std::function<Json(const McpConfigRequest&)>;

struct McpFront {
  ServeMcp serve;
  ConfigureMcp configure;
};

} // namespace pyro::cli
