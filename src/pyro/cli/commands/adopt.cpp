#include <pyro/base/error.hpp>
#include <pyro/cli/by_hand.hpp>
#include <pyro/cli/commands.hpp>
#include <pyro/cli/render_parts.hpp>

namespace pyro::cli {

namespace adopt_command {

namespace {

constexpr std::string_view k_adopt_page = R"(
Lets a workspace that was made by hand, forked or left behind by a renamed pyro.yaml belong to the pyro.yaml of this
directory, under the name the file says. Nothing in it changes: `pyro plan` tells what the next apply would.

Examples:
  pyro adopt 3f9a
  pyro adopt try-3 && pyro plan
)";

constexpr std::string_view k_forget_page = R"(
Lets go of the workspace of this directory: it stays as it is, with its snapshots, but no longer belongs to the
pyro.yaml. `pyro apply` then makes a new one; `pyro workspace` commands find the old one by id or name.

Examples:
  pyro forget
  pyro forget -w shop
)";

int run_adopt(Session& session) {
  auto parameters = session.project();
  parameters.update(by_id(session));
  session.conclude(session.call("adopt", parameters), [](const Json& result) {
    const auto before = text_at(result, "previous_name");
    const auto name = text_at(result, "name");
    return fmt::format(
        "{} ({}) belongs to {} now{}. `pyro plan` tells what differs.\n", name,
        text_at(result, "workspace_id"), text_at(result, "file"),
        before == name ? "" : fmt::format(", it was called {}", before));
  });
  return 0;
}

int run_forget(Session& session) {
  session.conclude(session.call("forget", session.where()), [](const Json& result) {
    return bool_or(result, "changed", false)
               ? fmt::format(
                   "{} ({}) no longer belongs to {}.\n", text_at(result, "name"),
                   text_at(result, "workspace_id"), text_at(result, "file"))
               : fmt::format("{} belongs to no pyro.yaml.\n", text_at(result, "name"));
  });
  return 0;
}

} // namespace

} // namespace adopt_command

constinit const Command k_adopt{
    .name = "adopt",
    .summary = "Let a workspace belong to this directory's pyro.yaml",
    .page = adopt_command::k_adopt_page,
    .run = adopt_command::run_adopt,
    .operands = k_one_workspace,
    .takes = k_takes_file,
};

constinit const Command k_forget{
    .name = "forget",
    .summary = "Let a workspace belong to no pyro.yaml; it stays",
    .page = adopt_command::k_forget_page,
    .run = adopt_command::run_forget,
};

} // namespace pyro::cli
