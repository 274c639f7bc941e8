#include "commands.hpp"
#include "session.hpp"

#include <pyro/base/units.hpp>
#include <pyro/operations/text.hpp>

namespace pyro::cli {

namespace {

constexpr std::string_view k_page = R"(
Puts the content of the workspace back to a snapshot and its services in the state they had there. Without --to: the
file's reset.to, else the deepest snapshot. What is thrown away can be brought back with `pyro undo` for as long as
reset.undo says (24h by default).

Examples:
  pyro reset
  pyro reset --to clean
  pyro reset && pyro exec -- ./run-one-test.sh
)";

constexpr std::string_view k_undo_page = R"(
Brings back what the last reset, replace or destroy threw away. There is one step; undoing the undo is a reset.

Examples:
  pyro reset && pyro undo
  pyro undo -w shop         also after `pyro destroy -w shop`
)";

constexpr std::array k_options{
    Option{"--to", "", "NAME", "The snapshot"},
    Option{"--timeout", "", "DURATION", "For all of it, e.g. 30s"},
};

std::string elapsed(const Json& result) {
  const auto duration = maybe_int(result, "duration_ms");
  return duration ? fmt::format(" ({} ms)", *duration) : "";
}

int run(Session& session) {
  auto parameters = session.where();
  const auto& arguments = session.arguments();
  for (const auto* name : {"to", "timeout"}) {
    if (const auto value = arguments.value(name); !value.empty()) {
      parameters[name] = value;
    }
  }
  parameters["approve"] = arguments.has("yes");
  session.conclude(session.call("reset", parameters), [](const Json& result) {
    const auto until = string_or(result, "undo_until", "");
    return fmt::format(
        "Reset to {}.{}{}\n", operations::escape_controls(string_or(result, "snapshot", "its snapshot")),
        elapsed(result),
        until.empty() ? "" : fmt::format(" `pyro undo` brings your edits back until {}.", until));
  });
  return 0;
}

int run_undo(Session& session) {
  session.conclude(session.call("undo", session.where()), [](const Json& result) {
    return fmt::format("Undid the last {}.{}\n", string_or(result, "undone", "step"), elapsed(result));
  });
  return 0;
}

} // namespace

constinit const Command k_reset{
    .name = "reset",
    .summary = "Put the content back to a snapshot",
    .page = k_page,
    .run = run,
    .options = k_options,
};

constinit const Command k_undo{
    .name = "undo",
    .summary = "Take the last reset, replace or destroy back",
    .page = k_undo_page,
    .run = run_undo,
};

} // namespace pyro::cli
