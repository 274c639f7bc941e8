#include <pyro/cli/commands.hpp>
#include <pyro/cli/render.hpp>
#include <pyro/cli/session.hpp>

namespace pyro::cli {

namespace status_command {

namespace {

constexpr std::string_view k_page = R"(
Shows the workspace of this directory (or -w NAME): state, backend, what its content was restored from, services with
readiness, ports, snapshots, the end of its time to live, the last error, whether pyro.yaml has changed since it was
applied, and how many files were changed inside, by whom.

Examples:
  pyro status
  pyro status -w shop -o json | jq '.services[] | select(.state != "ready") | .name'
)";

constexpr std::string_view k_ls_page = R"(
Lists all workspaces of this user, wherever their pyro.yaml is. With --all also destroyed ones that are kept, for `pyro undo
-w ID` and for their snapshots.

Examples:
  pyro ls
  pyro ls --all
  pyro ls --json | jq -r '.workspaces[].workspace_id'
)";

constexpr std::array k_ls_options{Option{"--all", "-a", "", "Also destroyed ones that are kept for undo"}};

int run(Session& session) {
  session.show(session.call("status", session.where()), [&](const Json& status) {
    return render_status(status, session.out_style());
  });
  return 0;
}

int run_ls(Session& session) {
  session.show(session.call("list", {{"all", session.arguments().has("all")}}), [&](const Json& result) {
    return render_list(result, session.out_style());
  });
  return 0;
}

} // namespace

} // namespace status_command

constinit const Command k_status{
    .name = "status",
    .summary = "Show a workspace: state, services, snapshots",
    .page = status_command::k_page,
    .run = status_command::run,
};

constinit const Command k_ls{
    .name = "ls",
    .summary = "List all workspaces",
    .page = status_command::k_ls_page,
    .run = status_command::run_ls,
    .options = status_command::k_ls_options,
    .alias = "list",
    .takes = Takes::document,
};

} // namespace pyro::cli
