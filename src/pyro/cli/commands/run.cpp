#include <pyro/base/error.hpp>
#include <pyro/cli/attach.hpp>
#include <pyro/cli/commands.hpp>
#include <pyro/cli/render.hpp>
#include <pyro/cli/vm_flags.hpp>

namespace pyro::cli {

namespace run_command {

namespace {

constexpr std::string_view k_page = R"(
Runs one command in a sandbox and passes its output and exit status through.

With an ENVIRONMENT (an image such as debian:12, host, dir:PATH, tar:PATH) the sandbox is made for this command and is
gone afterwards. Without one, `pyro run -- COMMAND` applies the pyro.yaml of this directory first and runs the command
in its workspace, which stays; with --reset it goes back to its snapshot when the command is over.

Examples:
  pyro run debian:12 -- sh -c 'cat /etc/os-release'
  pyro run host --network-policy egress --timeout-seconds 300 -- curl -fsS https://example.org
  tar c . | pyro run debian:12-build -- sh -c 'tar x && make'
  pyro run -- make test              in the workspace of pyro.yaml
  pyro run --reset --yes -- make test

Exit status: the command's; 124 its time is over, 125 pyro itself failed, 126 not executable, 127 not found,
128+N killed by signal N (Ctrl-C: 130).
)";

constexpr std::array k_operands{
    Operand{"ENVIRONMENT", Count::optional, "debian:12, host, dir:PATH, …; without: the pyro.yaml here"}};

constexpr std::array k_options{
    k_name,
    k_vcpu_count,
    k_mem_mib,
    k_ttl_seconds,
    k_network_policy,
    k_backend,
    k_allow_host_compat,
    k_cwd,
    k_env,
    k_vm_user,
    k_timeout_seconds,
    Option{"--reset", "", "", "Without ENVIRONMENT: reset the workspace afterwards"},
};

/// Flags that say how a new sandbox is to be, which pyro.yaml says already.
constexpr std::array k_only_with_environment{"name",        "vcpu-count",     "mem-mib",
                                             "ttl-seconds", "network-policy", "backend"};

void refuse_flags_of_new_ones(const Session& session) {
  for (const auto* flag : k_only_with_environment) {
    if (session.arguments().has(flag)) {
      throw Error(ErrorCode::usage, "--{} is for `pyro run ENVIRONMENT`; here pyro.yaml decides", flag);
    }
  }
}

constexpr std::array k_only_with_file{"file", "directory", "profile", "var", "workspace"};

void refuse_flags_of_a_file(const Session& session) {
  if (session.arguments().has("reset")) {
    throw Error(
        ErrorCode::usage,
        "--reset is for the workspace of a pyro.yaml: nothing is left of `run ENVIRONMENT`");
  }
  for (const auto* flag : k_only_with_file) {
    if (session.arguments().is_on_the_line(flag)) {
      throw Error(
          ErrorCode::usage, "--{} is for `pyro run` without ENVIRONMENT, which reads a pyro.yaml", flag);
    }
  }
}

/// Everything that pyro itself says goes to standard error: standard output is the command's.
void apply_file(Session& session) {
  auto parameters = session.where();
  parameters["approve"] = session.arguments().has("yes");
  take_switch(session, "allow-host-compat", parameters);
  const auto applied = session.call("apply", parameters);
  if (bool_or(applied, "changed", false)) {
    const auto plan = session.plan_was_shown() ? "" : string_or(applied, "text", "");
    session.note(plan + render_applied(applied, session.err_style()));
  }
}

void reset_afterwards(Session& session) {
  auto parameters = session.where();
  parameters["approve"] = true; // --reset said so
  session.note(render_reset(session.call("reset", parameters)));
}

int run_in_workspace(Session& session) {
  refuse_flags_of_new_ones(session);
  auto request = by_hand_exec_request(session);
  request.user = session.arguments().value("user");
  if (!session.arguments().has("timeout-seconds")) {
    request.timeout = std::chrono::milliseconds(0);
  }
  if (session.format() != Format::text) {
    throw Error(ErrorCode::usage, "pyro run without an ENVIRONMENT has no document")
        .with_hint("pyro apply --json && pyro exec --json -- COMMAND");
  }
  apply_file(session);
  const bool is_reset_wanted = session.arguments().has("reset");
  operations::ExecResult result;
  try {
    result = session.engine().stream_exec(session.where(), request, own_streams(session));
    session.finish_progress();
  } catch (const Error& error) {
    session.finish_progress();
    if (is_reset_wanted && error.code() != ErrorCode::interrupted) {
      reset_afterwards(session); // however the command ended
    }
    throw;
  }
  if (is_reset_wanted) {
    reset_afterwards(session);
  }
  return exit_status_of_result(session, result);
}

int run(Session& session) {
  if (session.arguments().operands.empty()) {
    return run_in_workspace(session);
  }
  refuse_flags_of_a_file(session);
  return exec_in_vm(session, "vm_run", vm_parameters_of(session));
}

} // namespace

} // namespace run_command

constinit const Command k_run{
    .name = "run",
    .summary = "Run a command in a sandbox of its own",
    .page = run_command::k_page,
    .run = run_command::run,
    .options = run_command::k_options,
    .operands = run_command::k_operands,
    .trailing = Trailing::program,
    .failures = Failures::exec,
};

} // namespace pyro::cli
