#include <pyro/cli/commands.hpp>
#include <pyro/cli/render.hpp>
#include <pyro/cli/report_error.hpp>
#include <pyro/cli/session.hpp>

namespace pyro::cli {

namespace validate_command {

namespace {

constexpr std::string_view k_page = R"(
Reads pyro.yaml, lays the profile over it, fills in variables and checks all of it: types, unknown keys (with the
nearest known one), references between services, values that cannot work. Nothing is touched or started. Up to
20 problems are reported in one run, each with its place.

Examples:
  pyro validate
  pyro validate --profile ci --var node=20
  pyro validate -o github       annotations on the lines of a pull request

Exit status: 0 valid (warnings do not count), 65 not valid, 66 no such file.
)";

constexpr int k_invalid = 65;

std::string annotations(const Json& result) {
  std::string text;
  for (const auto& diagnostic : result.value("diagnostics", Json::array())) {
    text += diagnostic_annotation(diagnostic);
  }
  return text;
}

int run(Session& session) {
  const auto result = session.call("validate", session.where());
  const bool valid = get_bool(result, "valid");
  if (session.format() == Format::text) {
    // Valid: a line that --quiet may drop. Not valid: the findings are the result.
    auto text = render_validation(result, valid ? session.err_style() : session.out_style());
    if (!valid) {
      session.console().out(text);
    } else {
      session.conclude(result, [&](const Json&) { return text; });
    }
  } else {
    session.show_annotations(result, annotations);
  }
  return valid ? 0 : k_invalid;
}

} // namespace

} // namespace validate_command

constinit const Command k_validate{
    .name = "validate",
    .summary = "Check pyro.yaml without touching anything",
    .page = validate_command::k_page,
    .run = validate_command::run,
};

} // namespace pyro::cli
