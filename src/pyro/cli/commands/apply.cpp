#include <pyro/base/error.hpp>
#include <pyro/base/json_text.hpp>
#include <pyro/base/text.hpp>
#include <pyro/cli/attach.hpp>
#include <pyro/cli/by_hand.hpp>
#include <pyro/cli/commands.hpp>
#include <pyro/cli/github.hpp>
#include <pyro/cli/json_lines.hpp>
#include <pyro/cli/plan_flags.hpp>
#include <pyro/cli/read_input.hpp>
#include <pyro/cli/render.hpp>
#include <pyro/cli/report_error.hpp>
#include <pyro/operations/login_shell.hpp>

namespace pyro::cli {

namespace apply_command {

namespace {

constexpr std::string_view k_page = R"(
Plans, shows the plan and carries it out: builds or reuses layers, copies the seed, starts services and waits until
they are ready, takes snapshots. With nothing to do it says so and is quick. It asks only if something would be lost
(edits that a reset discards); without a terminal that needs --yes, or exits with status 7.

Interrupted or failed runs are continued by the next one; finished steps are not run again.

Examples:
  pyro apply
  pyro apply --yes --profile ci --timeout 10m
  pyro apply --no-wait           do not wait for readiness
  pyro apply --debug-shell       a shell where a step fails, in what it left
  pyro apply --no-cache          build all steps again, and reset the workspace to what they made
  pyro apply -o github           for a workflow: annotations, a summary of the step, outputs (docs/ci.md)
  pyro apply -o junit > pyro.xml     a test report: steps, services, drift
  pyro apply --dry-run           only say it
  pyro apply --on slurm:short          on a node that Slurm lends (docs/fleet.md)
  pyro apply --target services.api     that service and what it needs; the rest stays as it was applied
  pyro apply --replace prepare.build   run that step again, though nothing changed
  pyro apply --allow reset       edits may be lost by a reset, and by nothing else
  pyro apply change.plan         what `pyro plan --out change.plan` said, or nothing (4: it is stale); asks nothing

Exit status: 0 done, 1 failed, 3 partly done (run it again), 4 the plan is stale, 6 a service did not become ready, 7 a yes is needed,
2 with --detailed-exitcode if something was changed.
)";

constexpr std::string_view k_up_page = R"(
The same as `pyro apply`: makes the workspace as pyro.yaml says, started, and waits until its services are ready.

Examples:
  pyro up
  pyro up --yes && pyro exec -- make test
)";

constexpr Option k_on_place{
    "--on", "", "PLACE",
    "Where it is to live: here, slurm:PARTITION[,qos=NAME][,account=NAME]; `pyro on` lists them"};

constexpr std::array k_options{
    k_agree_to_host,
    Option{"--no-wait", "", "", "Do not wait until services are ready"},
    Option{"--no-cache", "", "", "Build every layer again, also those of a workspace that is there"},
    Option{"--timeout", "", "DURATION", "For all of it, e.g. 10m"},
    Option{"--detailed-exitcode", "", "", "Exit 2 if something was changed"},
    Option{"--debug-shell", "", "", "Where a step fails, open a shell in what it left"},
    k_target,
    k_exclude,
    k_replace,
    k_refresh,
    k_no_memory,
    k_policy,
    k_allow,
    k_dry_run,
    k_on_place,
    Option{
        "--parallel", "", "N",
        "Services on their way up at once, and beside them what is made apart; default: 10"},
};

constexpr std::array k_apply_options{
    k_agree_to_host,
    Option{"--no-wait", "", "", "Do not wait until services are ready"},
    Option{"--no-cache", "", "", "Build every layer again, also those of a workspace that is there"},
    Option{"--timeout", "", "DURATION", "For all of it, e.g. 10m"},
    Option{"--detailed-exitcode", "", "", "Exit 2 if something was changed"},
    Option{"--debug-shell", "", "", "Where a step fails, open a shell in what it left"},
    k_target,
    k_exclude,
    k_replace,
    k_refresh,
    k_no_memory,
    k_policy,
    k_allow,
    k_dry_run,
    k_on_place,
    Option{
        "--parallel", "", "N",
        "Services on their way up at once, and beside them what is made apart; default: 10"},
    Option{"--if-equivalent", "", "", "With a PLAN: also where only the generation is another"},
};

constexpr std::string_view k_forms = "text|json|jsonl|github|junit";

constexpr std::array k_operands{
    Operand{"PLAN", Count::optional, "A file of `pyro plan --out`: only what it says is done"},
};

/// Of a saved plan.
std::string plan_id_in(const std::string& path) {
  constexpr std::size_t k_most = 64U << 20U;
  const auto plan = maybe_parse_json(read_input(path, k_most)).value_or(Json());
  const auto text_of = [&](const char* key) {
    const auto value = plan.is_object() ? plan.value(key, Json()) : Json();
    return value.is_string() ? value.get<std::string>() : std::string();
  };
  auto plan_id = text_of("plan_id");
  if (!text_of("format_version").starts_with("1.") || plan_id.empty()) {
    throw Error(ErrorCode::invalid_file, "{} is no plan that this pyro can read", path)
        .with_hint("`pyro plan --out FILE` makes one");
  }
  return plan_id;
}

/// What apply has failed with is told, and a shell opened in the step that failed, if one has. The exit
/// status is that of the failure.
int debug(Session& session, const Error& failure) {
  session.finish_progress();
  report_error(failure, session.format(), session.console(), session.err_style());
  operations::ExecRequest request;
  request.argv = operations::login_shell();
  request.in_failed_step = true;
  try {
    std::ignore = attach(session, std::move(request));
  } catch (const Error& error) {
    if (error.code() != ErrorCode::not_found) { // it failed elsewhere than in a step
      throw;
    }
  }
  return exit_status_for(&session.command(), failure, 0);
}

bool is_of_a_step(const Error& failure) {
  return failure.code() == ErrorCode::failed || failure.code() == ErrorCode::partial;
}

void require_terminal(Session& session) {
  if (!session.console().in_terminal || !session.console().out_terminal) {
    throw Error(ErrorCode::usage, "--debug-shell needs a terminal")
        .with_hint("afterwards: pyro exec --failed -- COMMAND");
  }
}

int count_of(std::string_view flag, const std::string& text) {
  const auto count = whole_number<int>(text);
  if (!count || *count < 1) {
    throw Error(ErrorCode::usage, "{} {} is no number from 1 on", flag, text);
  }
  return *count;
}

int run(Session& session) {
  const auto& arguments = session.arguments();
  auto parameters = session.where();
  take_switch(session, "allow-host-compat", parameters);
  parameters["approve"] = arguments.has("yes");
  parameters["wait"] = !arguments.has("no-wait");
  parameters["cache"] = !arguments.has("no-cache");
  if (!arguments.operands.empty()) {
    if (arguments.has("no-cache")) {
      throw Error(ErrorCode::usage, "--no-cache does something else than what a saved plan says");
    }
    parameters["plan_id"] = plan_id_in(arguments.operands.front());
    parameters["approve"] = true; // who saved it has seen it
  }
  if (arguments.has("if-equivalent")) {
    if (arguments.operands.empty()) {
      throw Error(ErrorCode::usage, "--if-equivalent is about a saved plan")
          .with_hint("pyro apply --if-equivalent FILE");
    }
    parameters["if_equivalent"] = true;
  }
  add_plan_choice(arguments, parameters);
  add_permissions(arguments, parameters);
  if (const auto parallel = arguments.value("parallel"); !parallel.empty()) {
    parameters["parallel"] = count_of("--parallel", parallel);
  }
  for (const auto* flag : {"timeout", "on"}) {
    if (const auto value = arguments.value(flag); !value.empty()) {
      parameters[flag] = value;
    }
  }
  const bool wants_shell = arguments.has("debug-shell");
  if (wants_shell) {
    require_terminal(session);
  }
  Json result;
  try {
    result = session.call("apply", parameters);
  } catch (const Error& error) {
    if (!wants_shell || !is_of_a_step(error)) {
      throw;
    }
    return debug(session, error);
  }
  if (session.show_if_only_said(result)) {
    return arguments.has("detailed-exitcode") && bool_or(result, "would_change", false) ? 2 : 0;
  }
  const bool changed = bool_or(result, "changed", false);
  if (session.format() == Format::junit) {
    session.show_junit(result);
    return arguments.has("detailed-exitcode") && changed ? 2 : 0;
  }
  if (session.format() == Format::jsonl) {
    session.console().out(outputs_line(result));
  } else if (session.format() == Format::github) {
    write_step_summary(session.console(), apply_summary(result));
    write_outputs(session.console(), result);
  }
  session.conclude(result, [&](const Json& done) {
    const auto plan = session.plan_was_shown() || !changed ? "" : string_or(done, "text", "");
    return plan + render_applied(done, session.err_style());
  });
  return arguments.has("detailed-exitcode") && changed ? 2 : 0;
}

} // namespace

} // namespace apply_command

constinit const Command k_apply{
    .name = "apply",
    .summary = "Make the workspace be as pyro.yaml says",
    .page = apply_command::k_page,
    .run = apply_command::run,
    .options = apply_command::k_apply_options,
    .operands = apply_command::k_operands,
    .forms = apply_command::k_forms,
};

constinit const Command k_up{
    .name = "up",
    .summary = "Same as apply",
    .page = apply_command::k_up_page,
    .run = apply_command::run,
    .options = apply_command::k_options,
    .forms = apply_command::k_forms,
};

} // namespace pyro::cli
