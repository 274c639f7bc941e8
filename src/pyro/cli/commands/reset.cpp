#include <pyro/cli/commands.hpp>
#include <pyro/cli/plan_flags.hpp>
#include <pyro/cli/render.hpp>
#include <pyro/cli/session.hpp>

namespace pyro::cli {

namespace reset_command {

namespace {

constexpr std::string_view k_page = R"(
Puts the content of the workspace back to a snapshot and its services in the state they had there. Without --to: the
file's reset.to, else the deepest snapshot. What is thrown away can be brought back with `pyro undo` for as long as
reset.undo says (24h by default).

Examples:
  pyro reset
  pyro reset --to clean
  pyro reset --dry-run      which files it would throw away
  pyro reset && pyro exec -- ./run-one-test.sh
)";

constexpr std::string_view k_undo_page = R"(
Brings back what the last reset, replace or destroy threw away. There is one step; undoing the undo is a reset.

Examples:
  pyro reset && pyro undo
  pyro undo --dry-run       what it would throw away
  pyro undo -w shop         also after `pyro destroy -w shop`
)";

constexpr std::array k_options{
    Option{"--to", "", "NAME", "The snapshot"},
    Option{"--timeout", "", "DURATION", "For all of it, e.g. 30s"},
    k_allow,
    k_dry_run,
};

constexpr std::array k_undo_options{k_dry_run};

int run(Session& session) {
  auto parameters = session.where();
  const auto& arguments = session.arguments();
  for (const auto* name : {"to", "timeout"}) {
    if (const auto value = arguments.value(name); !value.empty()) {
      parameters[name] = value;
    }
  }
  parameters["approve"] = arguments.has("yes");
  add_permissions(arguments, parameters);
  session.conclude(session.call("reset", parameters), [](const Json& done) { return render_reset(done); });
  return 0;
}

int run_undo(Session& session) {
  auto parameters = session.where();
  add_dry_run(session.arguments(), parameters);
  session.conclude(session.call("undo", parameters), render_undo);
  return 0;
}

} // namespace

} // namespace reset_command

constinit const Command k_reset{
    .name = "reset",
    .summary = "Put the content back to a snapshot",
    .page = reset_command::k_page,
    .run = reset_command::run,
    .options = reset_command::k_options,
};

constinit const Command k_undo{
    .name = "undo",
    .summary = "Take the last reset, replace or destroy back",
    .page = reset_command::k_undo_page,
    .run = reset_command::run_undo,
    .options = reset_command::k_undo_options,
};

} // namespace pyro::cli
