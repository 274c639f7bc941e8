#include <pyro/base/error.hpp>
#include <pyro/base/safe_text.hpp>
#include <pyro/base/units.hpp>
#include <pyro/cli/commands.hpp>
#include <pyro/cli/session.hpp>

#include <fmt/format.h>

#include <array>
#include <utility>

namespace pyro::cli {

namespace mcp_serve_command {

namespace {

constexpr std::array k_options{
    Option{
        "--profile", "", "NAME", "How many tools are listed; each costs a client tokens",
        "core|workspace|full"},
    Option{"--project-path", "", "DIR", "Where pyro.yaml is, for tools that are not told otherwise"},
    Option{"--answer-within", "", "DURATION", "What takes longer is answered with \"pending\"; default: 45s"},
    Option{"--read-only", "", "", "Only tools that change nothing"},
    Option{
        "--http", "", "ADDR",
        "Serve over HTTP there instead: 127.0.0.1:8931, unix:/path; port 0: a free one"},
    Option{"--token-file", "", "FILE", "With --http: what clients have to know; default: a token is made"},
};

constexpr std::string_view k_page = R"(
Serves the operations of pyro to a coding agent by the Model Context Protocol, of the revision 2026-07-28 and of 2025-11-25
down to 2024-11-05, as each request says: on standard input and output, where the client starts this program, or with --http
at http://ADDR/mcp, where clients come and go and have to know a token (Authorization: Bearer). Without --token-file one is made
at each start, in a file whose name is written to standard error. Addresses that other machines reach are as you write them;
the traffic is not encrypted. At a Unix socket, which only its owner can open, no token is needed.

  core       12 tools in 3,000 tokens: make a workspace, work in it, snapshot, reset
  workspace  also what there is for files, shells, services, forks
  full       every operation

A call that takes longer than --answer-within is answered with "pending" and goes on; the tool call_wait has its result. When the
client goes, what still runs is interrupted as by Ctrl-C; workspaces stay. What would lose something fails unless the
call says "approve": true, and what a pyro.yaml wants of this machine must have been agreed to (pyro trust), or is for all
calls of this server with --trust.

Examples:
  pyro mcp serve --project-path .
  claude mcp add pyro -- pyro mcp serve
  pyro mcp serve --http 127.0.0.1:8931 --token-file ~/.config/pyro/token
)";

int run(Session& session) {
  const auto& arguments = session.arguments();
  McpServeRequest request;
  request.profile = arguments.value("profile", "core");
  request.project_path = arguments.value("project-path");
  request.read_only = arguments.has("read-only");
  request.answer_within = parse_duration(arguments.value("answer-within", "45s"));
  request.http = arguments.value("http");
  request.token_file = arguments.value("token-file");
  if (request.http.empty() && !request.token_file.empty()) {
    throw Error(
        ErrorCode::usage, "--token-file is for --http: standard input and output are the client's alone");
  }
  return session.serve_mcp(std::move(request));
}

} // namespace

} // namespace mcp_serve_command

namespace mcp_config_command {

namespace {

constexpr std::array k_options{
    Option{"--write", "", "", "Put it into the client's file; all else there stays as it is"},
    Option{"--project", "", "", "The project's file instead of yours, where the client has one"},
};

constexpr std::array k_operands{
    Operand{"CLIENT", Count::one, "claude-code, codex, opencode, cursor, vscode or zed"},
};

constexpr std::string_view k_page = R"(
Prints what a coding agent or editor needs in its configuration to start `pyro mcp serve`, and the file where it belongs. With
--write it is put there: comments, order and everything else stay, a symlink stays one, and a file that cannot be added to safely, or
has another "pyro", is left alone, with what to add as the hint.

Examples:
  pyro mcp config claude-code
  pyro mcp config codex --write
  pyro mcp config vscode --project --write
)";

std::string text_of(const Json& result) {
  const auto path = escape_controls(get_string(result, "path"));
  if (bool_or(result, "written", false)) {
    return fmt::format("Added to {}\n", path);
  }
  if (bool_or(result, "is_there", false)) {
    return fmt::format("{} has it already\n", path);
  }
  return fmt::format("In {}:\n\n{}", path, get_string(result, "addition"));
}

int run(Session& session) {
  McpConfigRequest request;
  request.client = session.arguments().operands.front();
  request.project = session.arguments().has("project");
  request.write = session.arguments().has("write");
  session.show(session.configure_mcp(std::move(request)), text_of);
  return 0;
}

} // namespace

} // namespace mcp_config_command

constinit const Command k_mcp_config{
    .name = "mcp config",
    .summary = "What a coding agent needs in its configuration to use pyro",
    .page = mcp_config_command::k_page,
    .run = mcp_config_command::run,
    .options = mcp_config_command::k_options,
    .operands = mcp_config_command::k_operands,
    .takes = Takes::directory | Takes::document,
};

constinit const Command k_mcp_serve{
    .name = "mcp serve",
    .summary = "Serve pyro's operations to a coding agent (MCP)",
    .page = mcp_serve_command::k_page,
    .run = mcp_serve_command::run,
    .options = mcp_serve_command::k_options,
    .takes = Takes::directory,
};

} // namespace pyro::cli
