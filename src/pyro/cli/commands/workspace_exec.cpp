#include <pyro/cli/attach.hpp>
#include <pyro/cli/by_hand.hpp>
#include <pyro/cli/commands.hpp>
#include <pyro/cli/render.hpp>

namespace pyro::cli {

namespace workspace_exec_command {

namespace {

constexpr std::string_view k_page = R"(
Runs a command in a started workspace and passes its output and exit status through. There is no shell in between:
where you need one, give the command as text with --command. Standard input is passed on when it is a pipe or file. Commands are counted, and
`pyro workspace logs` shows them. Ctrl-C ends the command, not the workspace.

Examples:
  pyro workspace exec demo -- make test
  pyro workspace exec demo --command 'ls | wc -l'
  pyro workspace exec demo --timeout-seconds 600 --secret-env TOKEN=NPM_TOKEN -- npm publish
  tar c . | pyro workspace exec demo -- tar x -C /tmp

Exit status: the command's; 124 its time is over, 125 pyro itself failed, 126 not executable, 127 not found,
128+N killed by signal N (Ctrl-C: 130).
)";

constexpr std::string_view k_logs_page = R"(
Shows the commands that were run in a workspace since it was made or last reset, with the beginning and the end of
what they wrote. Secrets are taken out.

Examples:
  pyro workspace logs demo
  pyro workspace logs demo --limit 1 --json | jq -r .entries[0].stdout
)";

constexpr std::array k_options{
    k_cwd,
    k_env,
    k_secret_env,
    Option{"--user", "-u", "USER", "Default: the workspace's"},
    k_timeout_seconds,
    Option{"--command", "", "TEXT", "A command for /bin/sh -c, instead of one behind --"},
};

constexpr std::array k_logs_options{
    Option{"--limit", "", "N", "The last so many commands; default: 200"},
    Option{"--cursor", "", "N", "Only those before the command of this number"},
};

int run_captured(Session& session, const operations::ExecRequest& request) {
  auto parameters = by_id(session);
  parameters["command"] = request.script.empty() ? Json(request.argv) : Json(request.script);
  parameters["cwd"] = request.cwd;
  parameters["user"] = request.user;
  parameters["env"] = request.env;
  parameters["secret_env"] = request.secret_env;
  parameters["timeout_seconds"] = std::chrono::duration_cast<std::chrono::seconds>(request.timeout).count();
  const auto result = session.call("workspace_exec", parameters);
  session.show(result, [](const Json& document) { return dump_json(document); });
  return static_cast<int>(get_int(result, "exit_code"));
}

int run(Session& session) {
  auto request = by_hand_exec_request(session);
  request.user = session.arguments().value("user");
  if (session.format() != Format::text) {
    return run_captured(session, request);
  }
  const auto result = session.engine().stream_exec(
      {{"workspace", session.arguments().operands.front()}}, request, own_streams(session));
  session.finish_progress();
  return exit_status_of_result(session, result);
}

int run_logs(Session& session) {
  auto parameters = by_id(session);
  take_number(session, "limit", parameters);
  take_number(session, "cursor", parameters);
  session.show(session.call("workspace_logs", parameters), [&](const Json& log) {
    return render_command_log(log, session.out_style());
  });
  return 0;
}

} // namespace

} // namespace workspace_exec_command

constinit const Command k_workspace_exec{
    .name = "workspace exec",
    .summary = "Run a command in a workspace",
    .page = workspace_exec_command::k_page,
    .run = workspace_exec_command::run,
    .options = workspace_exec_command::k_options,
    .operands = k_one_workspace,
    .trailing = Trailing::program,
    .failures = Failures::exec,
    .takes = Takes::document,
};

constinit const Command k_workspace_logs{
    .name = "workspace logs",
    .summary = "Show the commands that were run in a workspace",
    .page = workspace_exec_command::k_logs_page,
    .run = workspace_exec_command::run_logs,
    .options = workspace_exec_command::k_logs_options,
    .operands = k_one_workspace,
    .takes = Takes::document,
};

} // namespace pyro::cli
