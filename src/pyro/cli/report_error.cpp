#include "report_error.hpp"

#include "github.hpp"
#include "json_lines.hpp"

#include <pyro/base/error.hpp>
#include <pyro/operations/text.hpp>

#include <csignal>

namespace pyro::cli {

namespace {

using operations::escape_controls;

} // namespace

std::string error_text(const Error& error, Style style) {
  std::string text = style.red("pyro: error:") + " ";
  if (error.position()) {
    text += escape_controls(to_string(*error.position())) + ": ";
  }
  text += escape_controls(error.message()) + "\n";
  for (const auto& line : error.output()) {
    text += "    " + escape_controls(line) + "\n";
  }
  for (const auto& context : error.context()) {
    text += "  " + escape_controls(context) + "\n";
  }
  if (!error.hint().empty()) {
    text += style.bold("hint:") + " " + escape_controls(error.hint()) + "\n";
  }
  return text;
}

static Json with_details(const Error& error, const Json& details) {
  auto document = to_json(error);
  if (!details.is_null()) {
    document["details"] = details;
  }
  return {{"error", document}};
}

std::string error_document(const Error& error, const Json& details) {
  return dump_json(with_details(error, details));
}

int exit_status_for(const Command* command, const Error& error, int signal) {
  if (error.code() == ErrorCode::interrupted) {
    return 128 + (signal != 0 ? signal : SIGINT);
  }
  const int status = exit_status_of(error.code());
  if (command == nullptr || error.code() == ErrorCode::usage) {
    return status;
  }
  if (command->failures == Failures::exec) {
    return error.code() == ErrorCode::timeout ? status : 125;
  }
  if (command->failures == Failures::compare && status == 1) {
    return 10;
  }
  return status;
}

void report_error(const Error& error, Format format, Console& console, Style style, const Json& details) {
  switch (format) {
  case Format::json:
    console.err(error_document(error, details));
    break;
  case Format::jsonl:
    console.out(json_line("error", with_details(error, details)));
    break;
  case Format::github:
    console.out(error_annotation(error));
    console.err(escape_workflow_commands(error_text(error, style)));
    break;
  case Format::text:
  case Format::junit: // its report is written by the session
  case Format::sarif:
    console.err(error_text(error, style));
    break;
  }
}

} // namespace pyro::cli
