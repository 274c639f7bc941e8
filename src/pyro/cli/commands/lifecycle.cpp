#include <pyro/cli/commands.hpp>
#include <pyro/cli/plan_flags.hpp>
#include <pyro/cli/render.hpp>
#include <pyro/cli/session.hpp>

namespace pyro::cli {

namespace lifecycle_command {

namespace {

constexpr std::string_view k_start_page = R"(
Starts a stopped workspace with its services, on the content it was stopped with. `pyro apply` does that as well, and
also what pyro.yaml changed meanwhile.

Examples:
  pyro start
  pyro start -w shop
  pyro start --dry-run      which services would start
)";

constexpr std::string_view k_stop_page = R"(
Stops the services in order and then the sandbox. Files stay as they are; `pyro start` goes on from there.

Examples:
  pyro stop
  pyro stop --dry-run       which services would be stopped
)";

constexpr std::string_view k_down_page = R"(
Same as `pyro stop`; files stay. To remove the workspace use `pyro destroy`.

Examples:
  pyro down
)";

constexpr std::string_view k_destroy_page = R"(
Removes the workspace: its sandbox, its content and its record. Snapshots are kept, so `pyro apply` is quick again,
and `pyro undo` brings the workspace back for as long as reset.undo says (24h by default; with 0s it asks before edits
are lost). With --snapshots they go too, for good.

Examples:
  pyro destroy
  pyro destroy -w shop --yes
  pyro destroy --dry-run    which files would be lost
  pyro destroy --snapshots
)";

constexpr std::array k_life_options{k_dry_run};

constexpr std::array k_destroy_options{
    Option{"--snapshots", "", "", "Remove its snapshots as well"},
    Option{"--timeout", "", "DURATION", "For all of it, e.g. 30s"},
    k_allow,
    k_dry_run,
};

int run_start(Session& session) {
  auto parameters = session.where();
  add_dry_run(session.arguments(), parameters);
  session.conclude(session.call("start", parameters), render_started);
  return 0;
}

int run_stop(Session& session) {
  auto parameters = session.where();
  add_dry_run(session.arguments(), parameters);
  session.conclude(session.call("stop", parameters), render_stopped);
  return 0;
}

int run_destroy(Session& session) {
  const auto& arguments = session.arguments();
  auto parameters = session.where();
  parameters["snapshots"] = arguments.has("snapshots");
  parameters["approve"] = arguments.has("yes");
  if (const auto timeout = arguments.value("timeout"); !timeout.empty()) {
    parameters["timeout"] = timeout;
  }
  add_permissions(arguments, parameters);
  session.conclude(
      session.call("destroy", parameters), [](const Json& done) { return render_destroyed(done); });
  return 0;
}

} // namespace

} // namespace lifecycle_command

constinit const Command k_start{
    .name = "start",
    .summary = "Start a stopped workspace",
    .page = lifecycle_command::k_start_page,
    .run = lifecycle_command::run_start,
    .options = lifecycle_command::k_life_options,
};

constinit const Command k_stop{
    .name = "stop",
    .summary = "Stop a workspace; its files stay",
    .page = lifecycle_command::k_stop_page,
    .run = lifecycle_command::run_stop,
    .options = lifecycle_command::k_life_options,
};

constinit const Command k_down{
    .name = "down",
    .summary = "Same as stop",
    .page = lifecycle_command::k_down_page,
    .run = lifecycle_command::run_stop,
    .options = lifecycle_command::k_life_options,
};

constinit const Command k_destroy{
    .name = "destroy",
    .summary = "Remove a workspace",
    .page = lifecycle_command::k_destroy_page,
    .run = lifecycle_command::run_destroy,
    .options = lifecycle_command::k_destroy_options,
};

} // namespace pyro::cli
