#include <pyro/cli/commands.hpp>
#include <pyro/cli/render_parts.hpp>
#include <pyro/cli/session.hpp>

#include <fmt/format.h>

namespace pyro::cli {

namespace watch_command {

namespace {

constexpr std::string_view k_page = R"(
Applies pyro.yaml, and again whenever it or a file of its seed changes, until Ctrl-C. Edits are brought into the running
workspace (as with seed.on_change: sync, whatever the file says), those that come together in one go; what the seed
ignores is not looked at. An apply that fails is shown, and the next change is another try. With --restart these services
start again when files came in.

Examples:
  pyro watch
  pyro watch --restart web --restart worker
)";

constexpr std::array k_options{
    Option{"--restart", "", "SERVICE", "Restart this service when files were brought in", "", Repeat::yes}};

int run(Session& session) {
  auto parameters = session.where();
  if (const auto services = session.arguments().values("restart"); !services.empty()) {
    parameters["restart"] = services;
  }
  parameters["approve"] = session.arguments().has("yes");
  session.conclude(session.call("watch", parameters), [](const Json& result) {
    return fmt::format(
        "Applied {} times, {} failed.\n", text_at(result, "applied"), text_at(result, "failed"));
  });
  return 0;
}

} // namespace

} // namespace watch_command

constinit const Command k_watch{
    .name = "watch",
    .summary = "Apply as files change",
    .page = watch_command::k_page,
    .run = watch_command::run,
    .options = watch_command::k_options,
};

} // namespace pyro::cli
