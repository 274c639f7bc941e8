#include <pyro/cli/by_hand.hpp>
#include <pyro/cli/commands.hpp>
#include <pyro/cli/render.hpp>

namespace pyro::cli {

namespace workspace_look_command {

namespace {

constexpr std::string_view k_list_page = R"(
Lists workspaces, most recent activity first: those made by hand and those of pyro.yaml files.

Examples:
  pyro workspace list --state started
  pyro workspace list --label team=web --json | jq -r '.workspaces[].workspace_id'
  pyro workspace list --id-only
)";

constexpr std::string_view k_status_page = R"(
Shows a workspace: state, backend, services, snapshots, the end of its time to live, the last error.

Examples:
  pyro workspace status demo
  pyro workspace status 3f9a --json | jq .last_command
)";

constexpr std::string_view k_summary_page = R"(
Shows what was done in a workspace and what it holds: the last commands, services, snapshots, changed files of
/workspace, and the bytes that were written.

Examples:
  pyro workspace summary demo
)";

constexpr std::array k_list_options{
    Option{"--name", "", "NAME", "Only those of this name"},
    Option{"--label", "", "KEY=VALUE", "Only those with all of these labels", "", Repeat::yes},
    Option{"--state", "", "STATE", "Only those in this state", "created|started|stopped"},
    Option{"--id-only", "", "", "Print the ids alone"},
};

int run_list(Session& session) {
  Json parameters = Json::object();
  take_text(session, "name", parameters);
  take_text(session, "state", parameters);
  take_pairs(session, "label", "labels", parameters);
  session.show(session.call("workspace_list", parameters), [&](const Json& result) {
    if (!session.arguments().has("id-only")) {
      return render_list(result, session.out_style());
    }
    std::string ids;
    for (const auto& one : value_at(result, "workspaces")) {
      ids += get_string(one, "workspace_id") + "\n";
    }
    return ids;
  });
  return 0;
}

int run_status(Session& session) {
  session.show(session.call("workspace_status", by_id(session)), [&](const Json& status) {
    return render_status(status, session.out_style());
  });
  return 0;
}

int run_summary(Session& session) {
  session.show(session.call("workspace_summary", by_id(session)), [&](const Json& summary) {
    return render_summary(summary, session.out_style());
  });
  return 0;
}

} // namespace

} // namespace workspace_look_command

constinit const Command k_workspace_list{
    .name = "workspace list",
    .summary = "List workspaces",
    .page = workspace_look_command::k_list_page,
    .run = workspace_look_command::run_list,
    .options = workspace_look_command::k_list_options,
    .alias = "workspace ls",
    .takes = Takes::document,
};

constinit const Command k_workspace_status{
    .name = "workspace status",
    .summary = "Show a workspace",
    .page = workspace_look_command::k_status_page,
    .run = workspace_look_command::run_status,
    .operands = k_one_workspace,
    .takes = Takes::document,
};

constinit const Command k_workspace_summary{
    .name = "workspace summary",
    .summary = "Show what was done in a workspace",
    .page = workspace_look_command::k_summary_page,
    .run = workspace_look_command::run_summary,
    .operands = k_one_workspace,
    .takes = Takes::document,
};

} // namespace pyro::cli
