#include <pyro/cli/commands.hpp>
#include <pyro/cli/render.hpp>
#include <pyro/cli/session.hpp>

namespace pyro::cli {

namespace capture_command {

namespace {

constexpr std::string_view k_page = R"(
Makes steps for pyro.yaml of what was changed inside: packages that apt, pip or npm installed, with their versions, and
small files outside of the seed. Prints them as a patch of the file, whose comments and order stay; with --write they
are in it. Read them before: they are what somebody tried, not what somebody thought over. Standard error names what no
step can make again, and what belongs into the checkout instead (`pyro diff --patch | git apply`).

Examples:
  pyro capture
  pyro capture | git apply
  pyro capture --write && pyro plan
)";

constexpr std::array k_options{Option{"--write", "", "", "Put the steps into the file"}};

int run(Session& session) {
  auto parameters = session.where();
  parameters["write"] = session.arguments().has("write");
  const auto result = session.call("capture", parameters);
  session.show(result, [&](const Json& proposal) {
    return render_patch(get_string(proposal, "patch"), session.out_style());
  });
  for (const auto& line : capture_notes(result)) {
    session.note(line);
  }
  return 0;
}

} // namespace

} // namespace capture_command

constinit const Command k_capture{
    .name = "capture",
    .summary = "Propose steps for pyro.yaml from what was changed inside",
    .page = capture_command::k_page,
    .run = capture_command::run,
    .options = capture_command::k_options,
};

} // namespace pyro::cli
