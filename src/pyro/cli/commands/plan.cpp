#include <pyro/base/error.hpp>
#include <pyro/cli/by_hand.hpp>
#include <pyro/cli/commands.hpp>
#include <pyro/cli/github.hpp>
#include <pyro/cli/json_lines.hpp>
#include <pyro/cli/plan_flags.hpp>
#include <pyro/cli/render.hpp>
#include <pyro/cli/render_parts.hpp>
#include <pyro/cli/render_trust.hpp>
#include <pyro/cli/session.hpp>

#include <fstream>

namespace pyro::cli {

namespace plan_command {

namespace {

constexpr std::string_view k_page = R"(
Compares pyro.yaml with what is there and says what apply would do, why (with the line of the file), how long it may
take and what would be lost. Nothing is changed.

  = stays   + new   * built or taken   ~ changed in place   ! restarted   < reset   -/+ replaced   - removed

Examples:
  pyro plan
  pyro plan --detailed-exitcode    2 if there is something to do: for CI
  pyro plan --out change.plan      then: pyro apply change.plan, which does this or nothing
  pyro plan --target services.api  what of it that service needs
  pyro plan --policy ci.yaml       77 if it breaks a rule of that file (docs/plans.md)
  pyro plan -o json | jq '.plan.actions[].address'
)";

constexpr std::array k_options{
    k_agree_to_host,
    Option{"--detailed-exitcode", "", "", "Exit 2 if apply would change something"},
    Option{"--out", "", "FILE", "Keep it for `pyro apply FILE`"},
    k_target,
    k_exclude,
    k_replace,
    k_refresh,
    k_no_memory,
    k_policy,
};

void save(const std::string& path, const Json& plan) {
  std::ofstream file(path, std::ios::trunc);
  file << dump_json(plan) << std::flush;
  if (!file) {
    throw Error(ErrorCode::io, "cannot write the plan to {}", path);
  }
}

/// The rules are a part of the plan; the status says that it breaks them.
int tell_denied(Session& session, const Json& denials) {
  session.note(fmt::format(
      "denied by the policy: {}",
      string_or(denials.front(), "rule", "")
          + (denials.size() > 1 ? fmt::format(" and {} more", denials.size() - 1) : "")));
  return exit_status_of(ErrorCode::permission);
}

int run(Session& session) {
  auto parameters = session.where();
  take_switch(session, "allow-host-compat", parameters);
  add_plan_choice(session.arguments(), parameters);
  const auto result = session.call("plan", parameters);
  if (session.format() == Format::jsonl) {
    session.console().out(plan_lines(value_at(result, "plan")));
  }
  session.show(result, [](const Json& plan) {
    const auto text = get_string(plan, "text");
    const auto taken = render_host_requests(list_at(value_at(plan, "plan"), "host_requests"));
    return text + (text.ends_with('\n') ? "" : "\n")
           + (taken.empty() ? "" : "\nTakes of your machine, as agreed:\n" + taken);
  });
  if (const auto path = session.arguments().value("out"); !path.empty()) {
    save(path, value_at(result, "plan"));
  }
  if (session.format() == Format::github) {
    session.console().out(plan_annotations(value_at(result, "plan")));
    write_step_summary(session.console(), plan_summary(value_at(result, "plan")));
  }
  if (const auto denials = list_at(value_at(result, "plan"), "denied"); !denials.empty()) {
    return tell_denied(session, denials);
  }
  return session.arguments().has("detailed-exitcode") && plan_changes(value_at(result, "plan")) ? 2 : 0;
}

} // namespace

} // namespace plan_command

constinit const Command k_plan{
    .name = "plan",
    .summary = "Say what apply would do, and why",
    .page = plan_command::k_page,
    .run = plan_command::run,
    .options = plan_command::k_options,
};

} // namespace pyro::cli
