// How `pyro mcp serve` reaches the MCP server, which is a front of its own: app/ hands it in.
#pragma once

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
  bool trust_once = false; // PYRO_TRUST
};

/// Serves until the client on standard input goes or a signal comes; the exit status.
using ServeMcp = std::function<int(const McpServeRequest&)>;

} // namespace pyro::cli
