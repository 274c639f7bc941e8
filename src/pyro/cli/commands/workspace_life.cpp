#include <pyro/base/error.hpp>
#include <pyro/cli/by_hand.hpp>
#include <pyro/cli/commands.hpp>
#include <pyro/cli/render_parts.hpp>

namespace pyro::cli {

namespace workspace_life_command {

namespace {

constexpr std::string_view k_start_page = R"(
Starts a stopped workspace on the content it was stopped with; its time to live begins anew.

Examples:
  pyro workspace start demo
)";

constexpr std::string_view k_stop_page = R"(
Stops everything that runs in a workspace. Files stay as they are; `pyro workspace start` goes on from there.

Examples:
  pyro workspace stop demo
)";

constexpr std::string_view k_update_page = R"(
Changes the name and the labels of a workspace that was made by hand; its id stays. Those of a declared workspace are
in its pyro.yaml.

Examples:
  pyro workspace update 3f9a --name demo --label team=web --clear-label old
)";

constexpr std::string_view k_delete_page = R"(
Removes a workspace with its content and all its snapshots, at once and for good.

Examples:
  pyro workspace delete demo
)";

constexpr std::string_view k_reap_page = R"(
Removes the workspaces made by hand whose time to live is over, and records that cannot be read. Workspaces of
pyro.yaml files stay.

Examples:
  pyro workspace reap
)";

constexpr std::array k_update_options{
    Option{"--name", "", "NAME", "The new one"},
    k_label,
    Option{"--clear-label", "", "KEY", "Remove this label", "", Repeat::yes},
};

/// "Stopped demo (3f9a…)."
std::string done_text(std::string_view what, const Json& workspace) {
  const auto name = text_at(workspace, "name");
  const auto id = text_at(workspace, "workspace_id");
  return name.empty() ? fmt::format("{} {}.\n", what, id) : fmt::format("{} {} ({}).\n", what, name, id);
}

int conclude(Session& session, std::string_view operation, const Json& parameters, std::string_view what) {
  session.conclude(
      session.call(operation, parameters), [&](const Json& result) { return done_text(what, result); });
  return 0;
}

int run_start(Session& session) {
  return conclude(session, "workspace_start", by_id(session), "Started");
}

int run_stop(Session& session) {
  return conclude(session, "workspace_stop", by_id(session), "Stopped");
}

int run_delete(Session& session) {
  return conclude(session, "workspace_delete", by_id(session), "Deleted");
}

int run_update(Session& session) {
  auto parameters = by_id(session);
  take_text(session, "name", parameters);
  take_pairs(session, "label", "labels", parameters);
  if (const auto keys = session.arguments().values("clear-label"); !keys.empty()) {
    parameters["clear_labels"] = keys;
  }
  if (parameters.size() == 1) {
    throw Error(ErrorCode::usage, "nothing to change").with_hint("--name, --label or --clear-label");
  }
  return conclude(session, "workspace_update", parameters, "Updated");
}

int run_reap(Session& session) {
  session.conclude(session.call("workspace_reap", Json::object()), [](const Json& result) {
    std::string text;
    for (const auto& id : list_at(result, "workspaces")) {
      text += fmt::format("Removed {}\n", id.get<std::string>());
    }
    for (const auto& id : list_at(result, "skipped")) {
      text += fmt::format("Somebody works on {}; left\n", id.get<std::string>());
    }
    return text.empty() ? std::string("Nothing to remove.\n") : text;
  });
  return 0;
}

} // namespace

} // namespace workspace_life_command

constinit const Command k_workspace_start{
    .name = "workspace start",
    .summary = "Start a stopped workspace",
    .page = workspace_life_command::k_start_page,
    .run = workspace_life_command::run_start,
    .operands = k_one_workspace,
    .takes = Takes::document,
};

constinit const Command k_workspace_stop{
    .name = "workspace stop",
    .summary = "Stop a workspace; its files stay",
    .page = workspace_life_command::k_stop_page,
    .run = workspace_life_command::run_stop,
    .operands = k_one_workspace,
    .takes = Takes::document,
};

constinit const Command k_workspace_update{
    .name = "workspace update",
    .summary = "Change the name and labels of a workspace",
    .page = workspace_life_command::k_update_page,
    .run = workspace_life_command::run_update,
    .options = workspace_life_command::k_update_options,
    .operands = k_one_workspace,
    .takes = Takes::document,
};

constinit const Command k_workspace_delete{
    .name = "workspace delete",
    .summary = "Remove a workspace for good",
    .page = workspace_life_command::k_delete_page,
    .run = workspace_life_command::run_delete,
    .operands = k_one_workspace,
    .takes = Takes::document,
};

constinit const Command k_workspace_reap{
    .name = "workspace reap",
    .summary = "Remove workspaces whose time is over",
    .page = workspace_life_command::k_reap_page,
    .run = workspace_life_command::run_reap,
    .takes = Takes::document,
};

} // namespace pyro::cli
