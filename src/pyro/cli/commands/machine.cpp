#include <pyro/cli/commands.hpp>
#include <pyro/cli/render.hpp>
#include <pyro/cli/session.hpp>
#include <pyro/operations/version.hpp>

namespace pyro::cli {

namespace machine_command {

namespace {

constexpr std::string_view k_doctor_page = R"(
Looks at what this machine can do: kernel features, helpers, disk space, leftovers. Each finding that needs something
says what. Works before the first workspace and needs no pyro.yaml.

Examples:
  pyro doctor
  pyro doctor --json | jq '.checks[] | select(.ok | not)'

Exit status: 0 usable (warnings do not count), 10 something that pyro needs is missing.
)";

constexpr std::string_view k_prune_page = R"(
Removes layers, snapshots' data and recipes that no workspace needs and no `retention` of an applied file keeps, what
destroyed workspaces leave once `undo` is over, and caches of checkouts that are gone. That is done once a day by itself
(in the background of an apply, reset or destroy).

With --all only what workspaces need stays that are not destroyed: cached steps, images and caches of others go too, and
so does what `pyro undo` would bring back of destroyed ones, with their snapshots; it asks before that.

Examples:
  pyro prune --dry-run
  pyro prune
  pyro prune --all --yes
)";

constexpr std::string_view k_df_page = R"(
Shows what takes disk space, for whom it is kept and until when. Each byte is counted once, with the first that needs it:
workspaces, destroyed ones that `undo` can bring back, cached steps, images.

Examples:
  pyro df
  pyro df --json | jq '.holders[] | select(.kind == "destroyed")'
)";

constexpr std::string_view k_purge_page = R"(
Ends every sandbox and removes all that pyro has of this user: workspaces with their snapshots, layers, images, caches,
agreements, and the cache directory where no other state directory (PYRO_HOME) has images in it. Asks before. Files of the
ids that sandboxes have, which you may not be able to remove yourself, go too. The program itself stays: it is removed as
it was installed.

Examples:
  pyro purge
  pyro purge --yes
)";

constexpr std::string_view k_version_page = R"(
Prints the version of pyro and of the formats it reads and writes.

Examples:
  pyro version
  pyro --version           the one line, without anything else being looked at
)";

constexpr std::array k_prune_options{
    Option{"--all", "-a", "", "Also what is kept although no workspace needs it"},
    Option{"--dry-run", "", "", "Only say what would go"},
};
constexpr int k_unavailable = 10;

int run_doctor(Session& session) {
  const auto result = session.call("doctor", Json::object());
  session.show(result, [&](const Json& doctor) { return render_doctor(doctor, session.out_style()); });
  for (const auto& check : result.value("checks", Json::array())) {
    const bool ok = bool_or(check, "ok", false);
    if (string_or(check, "level", ok ? "ok" : "error") == "error") {
      return k_unavailable;
    }
  }
  return 0;
}

int run_prune(Session& session) {
  const auto& arguments = session.arguments();
  const Json parameters{
      {"all", arguments.has("all")},
      {"dry_run", arguments.has("dry-run")},
      {"approve", arguments.has("yes")}};
  session.show(session.call("prune", parameters), [](const Json& result) { return render_pruned(result); });
  return 0;
}

int run_df(Session& session) {
  session.show(session.call("disk_usage", Json::object()), [](const Json& result) {
    return render_disk_usage(result);
  });
  return 0;
}

int run_purge(Session& session) {
  const Json parameters{{"approve", session.arguments().has("yes")}};
  session.conclude(session.call("purge", parameters), render_purged);
  return 0;
}

int run_version(Session& session) {
  session.show(session.call("version", Json::object()), render_document);
  return 0;
}

} // namespace

} // namespace machine_command

constinit const Command k_doctor{
    .name = "doctor",
    .summary = "Say what this machine can do and what is missing",
    .page = machine_command::k_doctor_page,
    .run = machine_command::run_doctor,
    .takes = Takes::document,
};

constinit const Command k_prune{
    .name = "prune",
    .summary = "Remove what nothing needs any more",
    .page = machine_command::k_prune_page,
    .run = machine_command::run_prune,
    .options = machine_command::k_prune_options,
    .takes = Takes::document,
};

constinit const Command k_df{
    .name = "df",
    .summary = "Show what takes disk space, for whom and until when",
    .page = machine_command::k_df_page,
    .run = machine_command::run_df,
    .takes = Takes::document,
};

constinit const Command k_purge{
    .name = "purge",
    .summary = "Remove everything that pyro has here",
    .page = machine_command::k_purge_page,
    .run = machine_command::run_purge,
    .takes = Takes::document,
};

constinit const Command k_version{
    .name = "version",
    .summary = "Print versions",
    .page = machine_command::k_version_page,
    .run = machine_command::run_version,
    .takes = Takes::document,
};

} // namespace pyro::cli
