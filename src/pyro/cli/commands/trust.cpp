#include <pyro/base/error.hpp>
#include <pyro/cli/commands.hpp>
#include <pyro/cli/render_parts.hpp>
#include <pyro/cli/render_trust.hpp>
#include <pyro/cli/session.hpp>

namespace pyro::cli {

namespace trust_command {

namespace {

constexpr std::string_view k_page = R"(
A pyro.yaml may want things of your machine that lie outside its directory: commands and variables for its secrets,
files, directories and images elsewhere, an address that others reach. Nothing of it is read or run before you have
agreed to the list, once per checkout. `pyro trust` shows the list and agrees to exactly it; on a terminal it asks.
When the list changes, what is new is asked about again. What lies inside the checkout is never asked about.
An image of a public registry is in the list, and nothing waits for it: agreed, it is fetched with your account.

`pyro apply` and `pyro plan` ask as well; without a terminal they exit with status 7 and the list. --trust agrees with
any command, PYRO_TRUST=1 for one call without remembering it. --yes does not: it is about what would be lost.

Examples:
  pyro trust
  pyro trust --show --json     only the list
  pyro trust ls
  pyro trust rm ~/src/shop
)";

constexpr std::string_view k_ls_page = R"(
Lists the checkouts with what you agreed that each may take of your machine.

Examples:
  pyro trust ls
  pyro trust ls --json | jq '.checkouts[].checkout'
)";

constexpr std::string_view k_rm_page = R"(
Takes back all that was agreed to for a checkout: the next command that would use it asks again. What workspaces
already have stays in them.

Examples:
  pyro trust rm
  pyro trust rm ~/src/shop     also where the directory is gone
)";

constexpr std::array k_options{Option{"--show", "", "", "Show the list and agree to nothing"}};
constexpr std::array k_checkout{
    Operand{"PATH", Count::optional, "The checkout; default: the directory of pyro.yaml"}};

std::string render_agreed(const Json& result) {
  return list_at(result, "requests").empty()
             ? ""
             : fmt::format("Agreed for {}; `pyro trust rm` takes it back.\n", text_at(result, "checkout"));
}

/// Agrees to the list that was looked at; what the file wants then, with the values that were agreed to.
Json agree(Session& session, const Json& wanted) {
  if (!session.arguments().has("yes") && !session.agree_on_terminal(wanted)) {
    throw Error(ErrorCode::approval_needed, "not agreed: nothing was remembered");
  }
  auto parameters = session.where();
  parameters["digest"] = get_string(wanted, "digest");
  session.call("trust_agree", parameters);
  return session.call("trust_show", session.where());
}

int run(Session& session) {
  auto wanted = session.call("trust_show", session.where());
  if (!session.arguments().has("show")) {
    constexpr int k_lists = 2; // that of the file, and that which its values make of it
    for (int list = 0; list < k_lists && !bool_or(wanted, "agreed", false); ++list) {
      wanted = agree(session, wanted);
    }
  }
  session.show(wanted, [&](const Json& document) {
    return render_wanted(document, session.out_style())
           + (session.arguments().has("show") ? "" : render_agreed(document));
  });
  return 0;
}

int run_ls(Session& session) {
  session.show(session.call("trust_list", Json::object()), render_trust_list);
  return 0;
}

int run_rm(Session& session) {
  auto parameters = session.project();
  if (!session.arguments().operands.empty()) {
    parameters["checkout"] = session.arguments().operands.front();
  }
  session.conclude(session.call("trust_remove", parameters), [](const Json& result) {
    return bool_or(result, "removed", false)
               ? fmt::format("Nothing is agreed to for {} any more.\n", text_at(result, "checkout"))
               : fmt::format("Nothing was agreed to for {}.\n", text_at(result, "checkout"));
  });
  return 0;
}

} // namespace

} // namespace trust_command

constinit const Command k_trust{
    .name = "trust",
    .summary = "Agree to what pyro.yaml wants of your machine",
    .page = trust_command::k_page,
    .run = trust_command::run,
    .options = trust_command::k_options,
};

constinit const Command k_trust_ls{
    .name = "trust ls",
    .summary = "List what was agreed to",
    .page = trust_command::k_ls_page,
    .run = trust_command::run_ls,
    .alias = "trust list",
    .takes = Takes::document,
};

constinit const Command k_trust_rm{
    .name = "trust rm",
    .summary = "Take back what was agreed to for a checkout",
    .page = trust_command::k_rm_page,
    .run = trust_command::run_rm,
    .operands = trust_command::k_checkout,
    .takes = Takes::directory | Takes::file | Takes::document,
};

} // namespace pyro::cli
