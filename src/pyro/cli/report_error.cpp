#include "report_error.hpp"

#include <pyro/base/error.hpp>
#include <pyro/operations/text.hpp>

#include <csignal>

namespace pyro::cli {

namespace {

using operations::escape_controls;

/// As GitHub's workflow commands want it.
std::string escaped(std::string_view text, bool property) {
  std::string result;
  for (const char c : operations::escape_lines(text)) {
    if (c == '%') {
      result += "%25";
    } else if (c == '\r') {
      result += "%0D";
    } else if (c == '\n') {
      result += "%0A";
    } else if (property && c == ':') {
      result += "%3A";
    } else if (property && c == ',') {
      result += "%2C";
    } else {
      result += c;
    }
  }
  return result;
}

std::string
annotation(std::string_view level, const Position& place, std::string_view title, std::string_view text) {
  std::string properties;
  if (!place.file.empty()) {
    properties += fmt::format("file={},", escaped(place.file, true));
  }
  if (place.line > 0) {
    properties += fmt::format("line={},col={},", place.line, place.column);
  }
  return fmt::format("::{} {}title={}::{}\n", level, properties, escaped(title, true), escaped(text, false));
}

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

std::string error_annotation(const Error& error) {
  auto text = error.message();
  for (const auto& line : error.output()) {
    text += "\n" + line;
  }
  if (!error.hint().empty()) {
    text += "\nhint: " + error.hint();
  }
  return annotation("error", error.position().value_or(Position{}), "pyro", text);
}

std::string diagnostic_annotation(const Json& diagnostic) {
  Position place;
  if (const auto found = diagnostic.find("position"); found != diagnostic.end() && found->is_object()) {
    place = {
        string_or(*found, "file", ""), static_cast<int>(int_or(*found, "line", 0)),
        static_cast<int>(int_or(*found, "column", 0))};
  }
  const auto address = string_or(diagnostic, "address", "");
  const auto hint = string_or(diagnostic, "hint", "");
  return annotation(
      string_or(diagnostic, "severity", "error"), place, address.empty() ? "pyro.yaml" : address,
      string_or(diagnostic, "message", "") + (hint.empty() ? "" : "\nhint: " + hint));
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
    console.err(error_text(error, style));
    break;
  }
}

} // namespace pyro::cli
