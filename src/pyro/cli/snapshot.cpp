#include "commands.hpp"
#include "render.hpp"
#include "session.hpp"

namespace pyro::cli {

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
Forgets a snapshot's name. Its data goes with the next `pyro prune`, if nothing else needs it.

Examples:
  pyro snapshot rm before-upgrade
)";

constexpr std::array k_name{Operand{"NAME", Count::one, "Letters, digits, '.', '_' and '-'"}};

Json named(const Session& session) {
  auto parameters = session.where();
  parameters["name"] = session.arguments().operands.front();
  return parameters;
}

int run_save(Session& session) {
  const auto parameters = named(session);
  session.conclude(session.call("snapshot_save", parameters), [&](const Json&) {
    const auto name = get_string(parameters, "name");
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
  session.conclude(session.call("snapshot_remove", parameters), [&](const Json&) {
    return fmt::format("Forgot {}.\n", get_string(parameters, "name"));
  });
  return 0;
}

} // namespace

constinit const Command k_snapshot_save{
    .name = "snapshot save",
    .summary = "Keep the content as it is now under a name",
    .page = k_save_page,
    .run = run_save,
    .operands = k_name,
};

constinit const Command k_snapshot_ls{
    .name = "snapshot ls",
    .summary = "List snapshots",
    .page = k_ls_page,
    .run = run_ls,
    .alias = "snapshot list",
};

constinit const Command k_snapshot_rm{
    .name = "snapshot rm",
    .summary = "Forget a snapshot",
    .page = k_rm_page,
    .run = run_rm,
    .operands = k_name,
    .alias = "snapshot remove",
};

} // namespace pyro::cli
