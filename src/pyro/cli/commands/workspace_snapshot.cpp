#include <pyro/base/error.hpp>
#include <pyro/cli/by_hand.hpp>
#include <pyro/cli/commands.hpp>
#include <pyro/cli/plan_flags.hpp>
#include <pyro/cli/render.hpp>
#include <pyro/cli/render_parts.hpp>

namespace pyro::cli {

namespace workspace_snapshot_command {

namespace {

constexpr std::string_view k_create_page = R"(
Keeps the content of a started workspace, all of its file system, as it is now under a name; what runs in it goes on.
Only what changed since the last snapshot is stored.

Examples:
  pyro workspace snapshot create demo before-upgrade
)";

constexpr std::string_view k_list_page = R"(
Lists the snapshots of a workspace, the baseline (what it was made with) first.

Examples:
  pyro workspace snapshot list demo
  pyro workspace snapshot list demo --json
)";

constexpr std::string_view k_delete_page = R"(
Removes a snapshot. Its space comes back unless something else needs the same data. The baseline cannot be deleted.

Examples:
  pyro workspace snapshot delete demo before-upgrade
)";

constexpr std::string_view k_reset_page = R"(
Makes the whole sandbox anew as a snapshot has it: processes, /tmp, packages, everything. Its history of commands,
shells and services begin anew as well; id, name, labels and snapshots stay. Works on a stopped workspace too, and
asks nobody.

Examples:
  pyro workspace reset demo
  pyro workspace reset demo --snapshot before-upgrade
)";

constexpr std::array k_named{
    k_workspace_operand, Operand{"NAME", Count::one, "Small letters, digits, '.', '_' and '-'"}};
constexpr std::array k_options{k_dry_run};
constexpr std::array k_reset_options{Option{"--snapshot", "", "NAME", "Default: baseline"}};

Json named(const Session& session) {
  auto parameters = by_id(session);
  parameters["snapshot_name"] = session.arguments().operands[1];
  add_dry_run(session.arguments(), parameters);
  return parameters;
}

int run_create(Session& session) {
  session.conclude(session.call("snapshot_create", named(session)), [](const Json& done) {
    return fmt::format("Took snapshot {}.\n", text_at(done["snapshot"], "snapshot_name"));
  });
  return 0;
}

int run_list(Session& session) {
  session.show(session.call("snapshot_list", by_id(session)), [&](const Json& result) {
    return render_snapshots(result, session.out_style());
  });
  return 0;
}

int run_delete(Session& session) {
  session.conclude(session.call("snapshot_delete", named(session)), [](const Json& done) {
    return fmt::format(
        "Deleted snapshot {} ({} freed).\n", text_at(done, "snapshot_name"), bytes_at(done, "freed_bytes"));
  });
  return 0;
}

int run_reset(Session& session) {
  auto parameters = by_id(session);
  take_text(session, "snapshot", parameters);
  session.conclude(session.call("workspace_reset", parameters), [](const Json& result) {
    return fmt::format(
        "Reset {} to {}.\n", text_at(result, "name"), text_at(result["workspace_reset"], "snapshot_name"));
  });
  return 0;
}

} // namespace

} // namespace workspace_snapshot_command

constinit const Command k_workspace_snapshot_create{
    .name = "workspace snapshot create",
    .summary = "Keep the content as it is now under a name",
    .page = workspace_snapshot_command::k_create_page,
    .run = workspace_snapshot_command::run_create,
    .options = workspace_snapshot_command::k_options,
    .operands = workspace_snapshot_command::k_named,
    .takes = Takes::document,
};

constinit const Command k_workspace_snapshot_list{
    .name = "workspace snapshot list",
    .summary = "List the snapshots of a workspace",
    .page = workspace_snapshot_command::k_list_page,
    .run = workspace_snapshot_command::run_list,
    .operands = k_one_workspace,
    .takes = Takes::document,
};

constinit const Command k_workspace_snapshot_delete{
    .name = "workspace snapshot delete",
    .summary = "Delete a snapshot",
    .page = workspace_snapshot_command::k_delete_page,
    .run = workspace_snapshot_command::run_delete,
    .options = workspace_snapshot_command::k_options,
    .operands = workspace_snapshot_command::k_named,
    .takes = Takes::document,
};

constinit const Command k_workspace_reset{
    .name = "workspace reset",
    .summary = "Make the whole sandbox anew as a snapshot has it",
    .page = workspace_snapshot_command::k_reset_page,
    .run = workspace_snapshot_command::run_reset,
    .options = workspace_snapshot_command::k_reset_options,
    .operands = k_one_workspace,
    .takes = Takes::document,
};

} // namespace pyro::cli
