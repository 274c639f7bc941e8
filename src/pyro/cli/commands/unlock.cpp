#include <pyro/cli/commands.hpp>
#include <pyro/cli/render.hpp>
#include <pyro/cli/session.hpp>

namespace pyro::cli {

namespace unlock_command {

namespace {

constexpr std::string_view k_page = R"(
Makes sure that no command that is dead stands in the way. It should never be needed: a lock ends with the process that
holds it, and whoever comes next finishes or takes back what that left half done, as this command does. One that is
alive keeps its lock: then this ends with 5 and says who it is, as `pyro status` does.

Examples:
  pyro unlock
  pyro unlock -w shop
)";

int run(Session& session) {
  session.conclude(session.call("unlock", session.where()), [](const Json& done) {
    return fmt::format(
        "{} is not locked.{}\n", string_or(done, "name", ""),
        bool_or(done, "changed", false) ? " What a dead command left half done is finished or taken back."
                                        : "");
  });
  return 0;
}

} // namespace

} // namespace unlock_command

constinit const Command k_unlock{
    .name = "unlock",
    .summary = "Make sure that no dead command holds a workspace",
    .page = unlock_command::k_page,
    .run = unlock_command::run,
};

} // namespace pyro::cli
