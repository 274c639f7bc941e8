#include "commands.hpp"
#include "session.hpp"

#include <pyro/operations/text.hpp>

namespace pyro::cli {

namespace {

constexpr std::string_view k_start_page = R"(
Starts a stopped workspace with its services, on the content it was stopped with. `pyro apply` does that as well, and
also what pyro.yaml changed meanwhile.

Examples:
  pyro start
  pyro start -w shop
)";

constexpr std::string_view k_stop_page = R"(
Stops the services in order and then the sandbox. Files stay as they are; `pyro start` goes on from there.

Examples:
  pyro stop
)";

constexpr std::string_view k_down_page = R"(
Same as `pyro stop`; files stay. To remove the workspace use `pyro destroy`.

Examples:
  pyro down
)";

constexpr std::string_view k_destroy_page = R"(
Removes the workspace: its sandbox, its content and its record. Snapshots are kept, so `pyro apply` is quick again,
and `pyro undo` brings the workspace back for a while. With --snapshots they go too, for good.

Examples:
  pyro destroy
  pyro destroy -w shop --yes
  pyro destroy --snapshots
)";

constexpr std::array k_destroy_options{
    Option{"--snapshots", "", "", "Remove its snapshots as well"},
    Option{"--timeout", "", "DURATION", "For all of it, e.g. 30s"},
};

std::string name_of_workspace(const Json& result) {
  const auto name = string_or(result, "name", "");
  return operations::escape_controls(
      name.empty() ? string_or(result, "workspace_id", "The workspace") : name);
}

int run_start(Session& session) {
  session.conclude(session.call("start", session.where()), [](const Json& result) {
    return fmt::format("{} is started. Try: pyro status, pyro exec -- COMMAND\n", name_of_workspace(result));
  });
  return 0;
}

int run_stop(Session& session) {
  session.conclude(session.call("stop", session.where()), [](const Json& result) {
    return fmt::format(
        "{} is stopped; its files are kept. `pyro start` goes on.\n", name_of_workspace(result));
  });
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
  session.conclude(session.call("destroy", parameters), [](const Json& result) {
    const auto until = string_or(result, "undo_until", "");
    return fmt::format(
        "{} is destroyed.{}\n", name_of_workspace(result),
        until.empty() ? "" : fmt::format(" `pyro undo` brings it back until {}.", until));
  });
  return 0;
}

} // namespace

constinit const Command k_start{
    .name = "start",
    .summary = "Start a stopped workspace",
    .page = k_start_page,
    .run = run_start,
};

constinit const Command k_stop{
    .name = "stop",
    .summary = "Stop a workspace; its files stay",
    .page = k_stop_page,
    .run = run_stop,
};

constinit const Command k_down{
    .name = "down",
    .summary = "Same as stop",
    .page = k_down_page,
    .run = run_stop,
};

constinit const Command k_destroy{
    .name = "destroy",
    .summary = "Remove a workspace",
    .page = k_destroy_page,
    .run = run_destroy,
    .options = k_destroy_options,
};

} // namespace pyro::cli
