// What was done in a workspace, as text: its command log and its summary.
#include "render.hpp"
#include "render_parts.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/units.hpp>
#include <pyro/operations/text.hpp>

#include <fmt/format.h>

namespace pyro::cli {

namespace {

std::string command_line(const Json& entry, Style style) {
  const auto code = int_or(entry, "exit_code", 0);
  const auto took = format_elapsed(std::chrono::milliseconds(int_or(entry, "duration_ms", 0)));
  const auto ended = fmt::format("exit {}", code);
  return fmt::format(
      "{} {}  {}, {}\n", style.dim(fmt::format("[{}]", int_or(entry, "sequence", 0))),
      style.bold(text_at(entry, "command")), code == 0 ? style.green(ended) : style.red(ended), took);
}

std::string output_lines(const Json& entry, std::string_view key) {
  std::string text;
  for (const auto& line : lines_of(string_or(entry, key, ""))) {
    text += "    " + operations::escape_controls(line) + "\n";
  }
  return text;
}

Json object_at(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_object() ? *found : Json::object();
}

std::string change_lines(const Json& changes, Style style) {
  const auto& entries = list_at(changes, "entries");
  if (entries.empty()) {
    return "";
  }
  std::string text = "\nchanged in /workspace\n";
  for (const auto& entry : entries) {
    const auto status = text_at(entry, "status");
    text += fmt::format("  {:<12}  {}\n", status, text_at(entry, "path"));
  }
  return text + (bool_or(changes, "truncated", false) ? style.dim("  … and more\n") : "");
}

} // namespace

std::string render_command_log(const Json& log, Style style) {
  std::string text;
  for (const auto& entry : list_at(log, "entries")) {
    text += command_line(entry, style) + output_lines(entry, "stdout") + output_lines(entry, "stderr");
  }
  return text.empty() ? "No commands yet.\n" : text;
}

std::string render_summary(const Json& summary, Style style) {
  const auto commands = object_at(summary, "commands");
  const auto services = object_at(summary, "services");
  const auto snapshots = object_at(summary, "snapshots");
  auto text = fmt::format(
      "{}  {}  {}\n", style.bold(text_at(summary, "name")), colored_state(text_at(summary, "state"), style),
      style.dim(text_at(summary, "workspace_id")));
  Table facts("  ");
  facts.add({"image", text_at(summary, "environment")});
  facts.add({"commands", text_at(commands, "count")});
  facts.add(
      {"services",
       fmt::format("{}, {} running", text_at(services, "count"), text_at(services, "running_count"))});
  facts.add(
      {"snapshots", fmt::format("{}, {}", text_at(snapshots, "count"), bytes_at(snapshots, "size_bytes"))});
  facts.add({"written", bytes_at(summary, "size_bytes")});
  text += facts.text();
  if (const auto& recent = list_at(commands, "recent"); !recent.empty()) {
    text += "\nlast commands\n";
    for (const auto& entry : recent) {
      text += "  " + command_line(entry, style);
    }
  }
  return text + change_lines(object_at(summary, "changes"), style);
}

} // namespace pyro::cli
