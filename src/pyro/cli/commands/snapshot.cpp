#include <pyro/base/error.hpp>
#include <pyro/base/names.hpp>
#include <pyro/cli/commands.hpp>
#include <pyro/cli/plan_flags.hpp>
#include <pyro/cli/render.hpp>
#include <pyro/cli/session.hpp>

namespace pyro::cli {

namespace snapshot_command {

namespace {

constexpr std::string_view k_save_page = R"(
Keeps the content of the workspace as it is now under a name; services go on running. Only what changed since the last
snapshot is stored. `pyro reset --to NAME` comes back to it.

Examples:
  pyro snapshot save before-upgrade
)";

constexpr std::string_view k_ls_page = R"(
Lists the snapshots that pyro.yaml declares and those that were saved by hand.

Examples:
  pyro snapshot ls
  pyro snapshot ls --json
)";

constexpr std::string_view k_rm_page = R"(
Forgets a snapshot. Its data goes at once unless something else needs it.

Examples:
  pyro snapshot rm before-upgrade
)";

constexpr std::string_view k_show_page = R"(
Shows what is known of one snapshot.

Examples:
  pyro snapshot show before-upgrade
  pyro snapshot show baseline --json
)";

constexpr std::array k_options{k_dry_run};
constexpr std::array k_name{Operand{"NAME", Count::one, "Letters, digits, '.', '_' and '-'"}};

Json named(const Session& session) {
  auto parameters = session.where();
  parameters["snapshot_name"] = session.arguments().operands.front();
  add_dry_run(session.arguments(), parameters);
  return parameters;
}

int run_save(Session& session) {
  const auto parameters = named(session);
  session.conclude(session.call("snapshot_create", parameters), [&](const Json&) {
    const auto name = get_string(parameters, "snapshot_name");
    return fmt::format("Saved {}. `pyro reset --to {}` comes back to it.\n", name, name);
  });
  return 0;
}

int run_ls(Session& session) {
  session.show(session.call("snapshot_list", session.where()), [&](const Json& result) {
    return render_snapshots(result, session.out_style());
  });
  return 0;
}

int run_rm(Session& session) {
  const auto parameters = named(session);
  session.conclude(session.call("snapshot_delete", parameters), [&](const Json&) {
    return fmt::format("Forgot {}.\n", get_string(parameters, "snapshot_name"));
  });
  return 0;
}

int run_show(Session& session) {
  const auto name = session.arguments().operands.front();
  const auto listed = session.call("snapshot_list", session.where());
  std::vector<std::string> names;
  for (const auto& snapshot : listed["snapshots"]) {
    if (get_string(snapshot, "snapshot_name") == name) {
      session.show(snapshot, render_document);
      return 0;
    }
    names.push_back(get_string(snapshot, "snapshot_name"));
  }
  throw Error(ErrorCode::not_found, "snapshot {} does not exist", name)
      .with_hint(names_hint(name, std::move(names)));
}

} // namespace

} // namespace snapshot_command

constinit const Command k_snapshot_save{
    .name = "snapshot save",
    .summary = "Keep the content as it is now under a name",
    .page = snapshot_command::k_save_page,
    .run = snapshot_command::run_save,
    .options = snapshot_command::k_options,
    .operands = snapshot_command::k_name,
};

constinit const Command k_snapshot_ls{
    .name = "snapshot ls",
    .summary = "List snapshots",
    .page = snapshot_command::k_ls_page,
    .run = snapshot_command::run_ls,
    .alias = "snapshot list",
};

constinit const Command k_snapshot_show{
    .name = "snapshot show",
    .summary = "Show one snapshot",
    .page = snapshot_command::k_show_page,
    .run = snapshot_command::run_show,
    .operands = snapshot_command::k_name,
};

constinit const Command k_snapshot_rm{
    .name = "snapshot rm",
    .summary = "Forget a snapshot",
    .page = snapshot_command::k_rm_page,
    .run = snapshot_command::run_rm,
    .options = snapshot_command::k_options,
    .operands = snapshot_command::k_name,
    .alias = "snapshot remove",
};

} // namespace pyro::cli
