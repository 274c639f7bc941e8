#include <pyro/cli/commands.hpp>
#include <pyro/cli/render.hpp>
#include <pyro/cli/session.hpp>

namespace pyro::cli {

namespace diff_command {

namespace {

constexpr std::string_view k_page = R"(
Lists the files of the workspace that differ from what it was made from (its base snapshot): A added, M modified,
D deleted. Paths are inside the workspace; relative ones start at its workdir. A patch applies in the checkout: it has
the changes of the seed's directory, named from there; for others give their PATH.

Examples:
  pyro diff
  pyro diff --patch | git apply
  pyro diff --patch src | less
  pyro diff --stat
  pyro diff --exit-code /etc || echo 'somebody changed /etc'

Exit status: 0; with --exit-code 1 if something differs. Failures are 10 or more.
)";

constexpr std::array k_options{
    Option{"--patch", "-p", "", "The changed lines, as a unified diff"},
    Option{"--stat", "", "", "Only how many"},
    Option{"--exit-code", "", "", "Exit 1 if something differs"},
};

constexpr std::array k_operands{Operand{"PATH", Count::many, "Only at or below these"}};

int run(Session& session) {
  const auto& arguments = session.arguments();
  auto parameters = session.where();
  parameters["paths"] = arguments.operands;
  parameters["patches"] = arguments.has("patch");
  const auto result = session.call("diff", parameters);
  session.show(result, [&](const Json& diff) {
    return arguments.has("patch")  ? render_diff_patch(diff, session.out_style())
           : arguments.has("stat") ? render_diff_stat(diff)
                                   : render_diff(diff, session.out_style());
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
