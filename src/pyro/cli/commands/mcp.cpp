#include <pyro/base/units.hpp>
#include <pyro/cli/commands.hpp>
#include <pyro/cli/session.hpp>

#include <array>

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
};

constexpr std::string_view k_page = R"(
Serves the operations of pyro to a coding agent by the Model Context Protocol, on standard input and output: of the
revision 2026-07-28 and of 2025-11-25 down to 2024-11-05, as each request says. The client starts this program.

  core       12 tools in 3,000 tokens: make a workspace, work in it, snapshot, reset
  workspace  also what there is for files, shells, services, forks
  full       every operation

A call that takes longer than --answer-within is answered with "pending" and goes on; the tool call_wait has its result. When the
client goes, what still runs is interrupted as by Ctrl-C; workspaces stay. What would lose something fails unless the
call says "approve": true, and what a pyro.yaml wants of this machine must have been agreed to (pyro trust).

Examples:
  pyro mcp serve --project-path .
  claude mcp add pyro -- pyro mcp serve
)";

int run(Session& session) {
  return session.serve_mcp(
      {session.arguments().value("profile", "core"), session.arguments().value("project-path"),
       session.arguments().has("read-only"),
       parse_duration(session.arguments().value("answer-within", "45s")), false});
}

} // namespace

} // namespace mcp_serve_command

constinit const Command k_mcp_serve{
    .name = "mcp serve",
    .summary = "Serve pyro's operations to a coding agent (MCP)",
    .page = mcp_serve_command::k_page,
    .run = mcp_serve_command::run,
    .options = mcp_serve_command::k_options,
    .takes = Takes::directory,
};

} // namespace pyro::cli
