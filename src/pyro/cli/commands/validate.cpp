#include <pyro/cli/commands.hpp>
#include <pyro/cli/github.hpp>
#include <pyro/cli/json_lines.hpp>
#include <pyro/cli/render.hpp>
#include <pyro/cli/sarif.hpp>
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
  pyro validate -o sarif > pyro.sarif      for code scanning
  pyro validate -o junit > pyro.xml        for test reports

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

void show_text(Session& session, const Json& result, bool valid) {
  // Valid: a line that --quiet may drop. Not valid: the findings are the result.
  auto text = render_validation(result, valid ? session.err_style() : session.out_style());
  if (!valid) {
    session.console().out(text);
  } else {
    session.conclude(result, [&](const Json&) { return text; });
  }
}

int run(Session& session) {
  const auto result = session.call("validate", session.where());
  const bool valid = get_bool(result, "valid");
  switch (session.format()) {
  case Format::text:
    show_text(session, result, valid);
    break;
  case Format::junit:
    session.console().out(junit_of_validation(result));
    break;
  case Format::sarif:
    session.console().out(dump_json(sarif_log(result)));
    break;
  case Format::jsonl:
    session.console().out(diagnostic_lines(result));
    [[fallthrough]];
  case Format::json:
  case Format::github:
    session.show_annotations(result, annotations);
    break;
  }
  if (session.format() == Format::github) {
    write_step_summary(session.console(), validation_summary(result));
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
    .forms = "text|json|jsonl|github|junit|sarif",
};

} // namespace pyro::cli
