#include <pyro/base/error.hpp>
#include <pyro/cli/commands.hpp>
#include <pyro/cli/render.hpp>
#include <pyro/cli/session.hpp>

namespace pyro::cli {

namespace diff_command {

namespace {

constexpr std::string_view k_page = R"(
Lists the files of the workspace that differ from what it was made from (its base snapshot): A added, M modified,
D deleted, by who made the changes as far as it can be told: a package manager, a build tool, a service, a command;
else other. With --verbose also the layer that each was in. Paths are inside the workspace; relative ones start at
its workdir, and patterns are as git has them: '*.conf', ':!node_modules'. A patch applies in the checkout: it has the
changes of the seed's directory, named from there; for others give their PATH.

Examples:
  pyro diff
  pyro diff --patch | git apply
  pyro diff --patch src | less
  pyro diff --stat -- '*.c' ':!vendor'
  pyro diff --name-only /etc
  pyro diff --exit-code /etc || echo 'somebody changed /etc'

Exit status: 0; with --exit-code 1 if something differs. Failures are 10 or more.
)";

constexpr std::array k_options{
    Option{"--patch", "-p", "", "The changed lines, as a unified diff"},
    Option{"--name-only", "", "", "Only the paths"},
    Option{"--stat", "", "", "How many lines of each file"},
    Option{"--exit-code", "", "", "Exit 1 if something differs"},
};

constexpr std::array k_operands{
    Operand{"PATH", Count::many, "Only at or below these, or fitting a pattern; ':!PATH' leaves one out"}};

int run(Session& session) {
  const auto& arguments = session.arguments();
  auto parameters = session.where();
  parameters["paths"] = arguments.operands;
  parameters["patches"] = arguments.has("patch") || arguments.has("stat");
  if (arguments.has("patch") + arguments.has("stat") + arguments.has("name-only") > 1) {
    throw Error(ErrorCode::usage, "--patch, --stat and --name-only are three forms of one list")
        .with_hint("give one of them");
  }
  const auto result = session.call("diff", parameters);
  session.show(result, [&](const Json& diff) {
    return arguments.has("patch")  ? render_diff_patch(diff, session.out_style())
           : arguments.has("stat") ? render_diff_stat(diff, session.out_style())
           : arguments.has("name-only")
               ? render_diff_names(diff)
               : render_diff(diff, session.out_style(), session.verbose() ? WithOrigin::yes : WithOrigin::no);
  });
  if (arguments.has("patch") && session.format() == Format::text) {
    for (const auto& line : patch_notes(result)) {
      session.note(line);
    }
  }
  return arguments.has("exit-code") && get_bool(result, "changed") ? 1 : 0;
}

} // namespace

} // namespace diff_command

constinit const Command k_diff{
    .name = "diff",
    .summary = "List what has changed inside",
    .page = diff_command::k_page,
    .run = diff_command::run,
    .options = diff_command::k_options,
    .operands = diff_command::k_operands,
    .failures = Failures::compare,
};

} // namespace pyro::cli
