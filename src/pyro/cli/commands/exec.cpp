#include <pyro/base/error.hpp>
#include <pyro/base/units.hpp>
#include <pyro/cli/attach.hpp>
#include <pyro/cli/commands.hpp>
#include <pyro/operations/login_shell.hpp>

#include <unistd.h>

namespace pyro::cli {

namespace exec_command {

namespace {

constexpr std::string_view k_page = R"(
Runs a command in the workspace (started if need be) and passes its output and exit status through. There is no shell
in between: write `sh -c '…'` where you need one. Standard input is passed on when it is a pipe or file, or with -i.

Examples:
  pyro exec -- make test
  pyro exec --cwd /etc -u root -- sh -c 'ls | wc -l'
  pyro exec -e DEBUG=1 --timeout 30s -- ./server --check
  tar c . | pyro exec -- tar x -C /tmp
  pyro exec -it -- python3       a terminal; Ctrl-] leaves
  pyro exec --failed -- cat config.log   where a step of the last apply has failed
  pyro exec --json -- uname -a   {"exit_code", "stdout", "stderr", …}

Exit status: the command's; 124 --timeout is over, 125 pyro itself failed, 126 not executable, 127 not found,
128+N killed by signal N (Ctrl-C: 130).
)";

constexpr std::string_view k_shell_page = R"(
Opens a login shell in the workspace (started if need be): bash if it is there, else sh. Ctrl-] leaves at once, whatever runs in it.

Examples:
  pyro shell
  pyro shell -u root --cwd /
  pyro shell --failed            where a step of the last apply has failed
)";

constexpr Option k_failed{
    "--failed", "", "", "Not in the workspace: in what the last failed step of pyro.yaml left"};

constexpr std::array k_options{
    Option{"--interactive", "-i", "", "Pass standard input on even if it is a terminal"},
    Option{"--tty", "-t", "", "Give it a terminal, if we have one"},
    Option{"--env", "-e", "NAME=VALUE", "On top of the workspace's variables", "", Repeat::yes},
    Option{"--user", "-u", "USER", "Default: the workspace's"},
    Option{"--cwd", "", "DIR", "Default: the workspace's workdir"},
    Option{"--timeout", "", "DURATION", "Kill it then and exit 124"},
    k_failed,
};

constexpr std::array k_shell_options{
    Option{"--env", "-e", "NAME=VALUE", "On top of the workspace's variables", "", Repeat::yes},
    Option{"--user", "-u", "USER", "Default: the workspace's"},
    Option{"--cwd", "", "DIR", "Default: the workspace's workdir"},
    k_failed,
};

operations::ExecRequest request_of(const Session& session) {
  const auto& arguments = session.arguments();
  operations::ExecRequest request;
  request.argv = arguments.program;
  request.cwd = arguments.value("cwd");
  request.user = arguments.value("user");
  request.in_failed_step = arguments.has("failed");
  request.start_if_stopped = true;
  for (const auto& text : arguments.values("env")) {
    const auto equals = text.find('=');
    if (equals == std::string::npos || equals == 0) {
      throw Error(ErrorCode::usage, "--env '{}' is not NAME=VALUE", text);
    }
    request.env[text.substr(0, equals)] = text.substr(equals + 1);
  }
  if (const auto timeout = arguments.value("timeout"); !timeout.empty()) {
    request.timeout = parse_duration(timeout);
  }
  return request;
}

int run_captured(Session& session, const operations::ExecRequest& request) {
  auto parameters = session.where();
  parameters["argv"] = request.argv;
  parameters["cwd"] = request.cwd;
  parameters["user"] = request.user;
  parameters["env"] = request.env;
  parameters["failed"] = request.in_failed_step;
  parameters["timeout"] = session.arguments().value("timeout");
  const auto result = session.call("exec", parameters);
  session.show(result, [](const Json& document) { return dump_json(document); });
  return static_cast<int>(get_int(result, "exit_code"));
}

int run(Session& session) {
  const auto& arguments = session.arguments();
  auto request = request_of(session);
  if (request.argv.empty()) {
    throw Error(ErrorCode::usage, "exec needs a command").with_hint("pyro exec -- COMMAND [ARGUMENT...]");
  }
  if (session.format() != Format::text) {
    return run_captured(session, request);
  }
  const auto& console = session.console();
  if (arguments.has("tty") && console.in_terminal && console.out_terminal) {
    return attach(session, std::move(request));
  }
  const bool pass_input = !console.in_terminal || arguments.has("interactive");
  request.poll_control = signals_forwarder();
  const auto result = session.engine().stream_exec(
      session.where(), request, {pass_input ? STDIN_FILENO : -1, STDOUT_FILENO, STDERR_FILENO});
  session.finish_progress();
  return exit_status_of_result(session, result);
}

int run_shell(Session& session) {
  if (!session.console().in_terminal || !session.console().out_terminal) {
    throw Error(ErrorCode::usage, "shell needs a terminal").with_hint("for scripts: pyro exec -- COMMAND");
  }
  auto request = request_of(session);
  request.argv = operations::login_shell();
  return attach(session, std::move(request));
}

} // namespace

} // namespace exec_command

constinit const Command k_exec{
    .name = "exec",
    .summary = "Run a command in the workspace",
    .page = exec_command::k_page,
    .run = exec_command::run,
    .options = exec_command::k_options,
    .trailing = Trailing::program,
    .failures = Failures::exec,
};

constinit const Command k_shell{
    .name = "shell",
    .summary = "Open a shell in the workspace",
    .page = exec_command::k_shell_page,
    .run = exec_command::run_shell,
    .options = exec_command::k_shell_options,
    .failures = Failures::exec,
    .takes = Takes::directory | Takes::file | Takes::values | Takes::workspace,
};

} // namespace pyro::cli
