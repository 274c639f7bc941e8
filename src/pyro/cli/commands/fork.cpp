#include <pyro/base/error.hpp>
#include <pyro/cli/by_hand.hpp>
#include <pyro/cli/commands.hpp>
#include <pyro/cli/plan_flags.hpp>
#include <pyro/cli/render_parts.hpp>

namespace pyro::cli {

namespace fork_command {

namespace {

constexpr std::string_view k_page = R"(
Makes and starts another workspace with the content that this one has now, its services included; nothing is copied for
each, so a hundred are as cheap as one. Each has an identity of its own: id, name, host name, machine id, time to live,
and host ports. It belongs to no checkout: `pyro workspace` commands and -w NAME find it, `pyro workspace delete`
removes it, `pyro adopt` takes it into a pyro.yaml.

Examples:
  pyro fork try
  pyro fork try --count 10             try-1 … try-10
  pyro fork clean --snapshot baseline
  pyro -w try exec -- make test
)";

constexpr std::string_view k_by_hand_page = R"(
Makes and starts other workspaces with the content that one has now, or had at a snapshot; nothing is copied for each.
Each has an identity of its own: id, name, host name, machine id and time to live. Secrets are delivered anew.

Examples:
  pyro workspace fork demo
  pyro workspace fork demo --snapshot prepared --count 20 --name worker
  pyro workspace fork demo --id-only
)";

constexpr Option k_count{"--count", "", "N", "How many; default: 1"};
constexpr Option k_snapshot{"--snapshot", "", "NAME", "Its content; default: as it is now"};
constexpr std::array k_options{k_count, k_snapshot, k_ttl_seconds, k_id_only, k_dry_run};
constexpr std::array k_by_hand_options{
    k_count,       k_snapshot, Option{"--name", "", "NAME", "Default: made up; of several with -1, -2, …"},
    k_ttl_seconds, k_id_only,  k_dry_run};
constexpr std::array k_new_name{Operand{"NAME", Count::one, "Of the new workspace"}};

std::string made_text(const Json& result) {
  std::string text;
  for (const auto& made : list_at(result, "workspaces")) {
    text += fmt::format("{}  {}\n", text_at(made, "workspace_id"), text_at(made, "name"));
  }
  return text;
}

std::string ids_text(const Json& result) {
  std::string text;
  for (const auto& made : list_at(result, "workspaces")) {
    text += text_at(made, "workspace_id") + "\n";
  }
  return text;
}

int run_with(Session& session, Json parameters) {
  for (const auto* flag : {"count", "ttl-seconds"}) {
    take_number(session, flag, parameters);
  }
  take_text(session, "snapshot", parameters);
  add_dry_run(session.arguments(), parameters);
  const auto result = session.call("workspace_fork", parameters);
  if (session.show_if_only_said(result)) {
    return 0;
  }
  session.show(result, session.arguments().has("id-only") ? ids_text : made_text);
  if (session.format() == Format::text) {
    for (const auto& failed : list_at(result, "failed")) {
      session.console().err(
          fmt::format("{}: {}\n", text_at(failed, "name"), text_at(failed["error"], "message")));
    }
    session.note(fmt::format(
        "Forked {} into {} ({} ms).", text_at(result["source"], "name"), int_or(result, "count", 0),
        int_or(result, "duration_ms", 0)));
  }
  return list_at(result, "failed").empty() ? 0 : exit_status_of(ErrorCode::partial);
}

int run(Session& session) {
  auto parameters = session.where();
  parameters["name"] = session.arguments().operands.front();
  return run_with(session, std::move(parameters));
}

int run_by_hand(Session& session) {
  auto parameters = by_id(session);
  take_text(session, "name", parameters);
  return run_with(session, std::move(parameters));
}

} // namespace

} // namespace fork_command

constinit const Command k_fork{
    .name = "fork",
    .summary = "Make other workspaces with the same content",
    .page = fork_command::k_page,
    .run = fork_command::run,
    .options = fork_command::k_options,
    .operands = fork_command::k_new_name,
};

constinit const Command k_workspace_fork{
    .name = "workspace fork",
    .summary = "Make other workspaces with the same content",
    .page = fork_command::k_by_hand_page,
    .run = fork_command::run_by_hand,
    .options = fork_command::k_by_hand_options,
    .operands = k_one_workspace,
    .takes = Takes::document,
};

} // namespace pyro::cli
