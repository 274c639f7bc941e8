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
Removes layers, snapshots' data and recipes that no workspace needs and no `retention` of an applied file keeps, and
caches of checkouts that are gone. Nothing else removes them: run it when `pyro doctor` or `df` says it is time.

Examples:
  pyro prune --dry-run
  pyro prune
)";

constexpr std::string_view k_version_page = R"(
Prints the version of pyro and of the formats it reads and writes.

Examples:
  pyro version
  pyro --version           the one line, without anything else being looked at
)";

constexpr std::array k_prune_options{Option{"--dry-run", "", "", "Only say what would go"}};
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
  const Json parameters{{"dry_run", session.arguments().has("dry-run")}};
  session.show(session.call("prune", parameters), render_removed);
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

constinit const Command k_version{
    .name = "version",
    .summary = "Print versions",
    .page = machine_command::k_version_page,
    .run = machine_command::run_version,
    .takes = Takes::document,
};

} // namespace pyro::cli
