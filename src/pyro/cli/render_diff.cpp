#include "render.hpp"
#include "render_parts.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/names.hpp>
#include <pyro/base/units.hpp>
#include <pyro/operations/text.hpp>

#include <fmt/format.h>

#include <set>

namespace pyro::cli {

namespace {

using operations::escape_controls;

const Json& entries_of(const Json& result) {
  static const Json k_none = Json::array();
  const auto found = result.find("entries");
  return found != result.end() && found->is_array() ? *found : k_none;
}

std::string letter_of(const std::string& status) {
  return status.empty()
             ? "?"
             : std::string(1, static_cast<char>(std::toupper(static_cast<unsigned char>(status[0]))));
}

std::string path_of(const Json& entry) {
  return escape_controls(string_or(entry, "path", ""));
}

} // namespace

std::string render_diff(const Json& result, Style style, WithOrigin origin) {
  std::vector<std::string> order;
  for (const auto& group : list_at(result, "causes")) {
    order.push_back(string_or(group, "cause", ""));
  }
  std::map<std::string, std::string> groups;
  for (const auto& entry : entries_of(result)) {
    const auto letter = letter_of(string_or(entry, "status", ""));
    const auto mark = letter == "A"   ? style.green(letter)
                      : letter == "D" ? style.red(letter)
                                      : style.yellow(letter);
    const auto type = string_or(entry, "artifact_type", "file");
    const auto from = origin == WithOrigin::yes ? text_at(entry, "origin") : "";
    const auto cause = order.size() > 1 ? string_or(entry, "cause", "") : "";
    groups[cause] += fmt::format(
        "{} {}{}{}\n", mark, path_of(entry), type == "directory" ? "/" : "",
        from.empty() ? "" : style.dim("  from " + from));
  }
  if (order.size() < 2) {
    return groups.empty() ? "No differences.\n" : groups.begin()->second;
  }
  std::string text;
  for (const auto& group : list_at(result, "causes")) {
    const auto cause = string_or(group, "cause", "");
    text += fmt::format(
        "{}{}\n{}", text.empty() ? "" : "\n",
        style.bold(fmt::format("{}: {}", text_at(group, "text"), int_or(group, "count", 0))), groups[cause]);
  }
  return text;
}

std::string render_diff_names(const Json& result) {
  std::string text;
  for (const auto& entry : entries_of(result)) {
    text += path_of(entry) + "\n";
  }
  return text;
}

std::string render_diff_summary(const Json& result) {
  std::map<std::string, int> counts;
  for (const auto& entry : entries_of(result)) {
    ++counts[string_or(entry, "status", "changed")];
  }
  if (counts.empty()) {
    return "No differences.\n";
  }
  const auto total = entries_of(result).size();
  std::string parts;
  for (const auto& [status, count] : counts) {
    parts += fmt::format("{}{} {}", parts.empty() ? "" : ", ", count, escape_controls(status));
  }
  return fmt::format("{} {}: {}\n", total, total == 1 ? "path" : "paths", parts);
}

std::string render_diff_stat(const Json& result, Style style) {
  constexpr std::int64_t k_widest = 40;
  std::int64_t most = 1;
  for (const auto& entry : entries_of(result)) {
    most = std::max(most, int_or(entry, "lines_added", 0) + int_or(entry, "lines_deleted", 0));
  }
  // At least one sign for what is not nothing.
  const auto signs = [&](std::int64_t lines, char sign) {
    const auto width = most <= k_widest ? lines : (lines * k_widest + most - 1) / most;
    return std::string(static_cast<std::size_t>(width), sign);
  };
  Table table(" ");
  for (const auto& entry : entries_of(result)) {
    const auto added = maybe_int(entry, "lines_added");
    const auto deleted = int_or(entry, "lines_deleted", 0);
    const auto type = string_or(entry, "artifact_type", "file");
    auto lines = fmt::format("| {}", type == "file" ? "no text" : type);
    if (added) {
      lines = fmt::format(
          "| {} {}{}", *added + deleted, style.green(signs(*added, '+')), style.red(signs(deleted, '-')));
    }
    table.add({path_of(entry) + (type == "directory" ? "/" : ""), lines});
  }
  return table.text() + render_diff_summary(result);
}

std::vector<std::string> patch_notes(const Json& result) {
  const auto note = [](const std::vector<std::string>& names, std::string_view what) {
    constexpr std::size_t k_most = 10;
    return fmt::format("{} {}: {}", names.size(), what, listed(names, k_most));
  };
  std::vector<std::string> outside;
  for (const auto& path : list_at(result, "patch_left_out")) {
    outside.push_back(escape_controls(path.get<std::string>()));
  }
  const std::set<std::string> is_outside(outside.begin(), outside.end());
  std::vector<std::string> without_text;
  for (const auto& entry : entries_of(result)) {
    if (!is_outside.contains(path_of(entry)) && string_or(entry, "text_patch", "").empty()) {
      without_text.push_back(path_of(entry));
    }
  }
  std::vector<std::string> notes;
  if (!without_text.empty()) {
    notes.push_back(note(without_text, "without text, not in the patch"));
  }
  if (!outside.empty()) {
    notes.push_back(note(outside, "outside of the seed's directory, not in the patch (give their path)"));
  }
  return notes;
}

std::string render_diff_patch(const Json& result, Style style) {
  std::string patch = string_or(result, "patch", "");
  if (patch.empty()) {
    for (const auto& entry : entries_of(result)) {
      patch += string_or(entry, "text_patch", "");
    }
  }
  return render_patch(patch, style);
}

std::string render_patch(const std::string& patch, Style style) {
  if (!style.color) {
    return patch; // a payload for `patch` or `git apply`: byte for byte
  }
  std::string text;
  for (const auto& line : lines_of(patch)) {
    const auto safe = escape_controls(line);
    const bool header = line.starts_with("+++") || line.starts_with("---");
    text += (header                   ? style.bold(safe)
             : line.starts_with('+')  ? style.green(safe)
             : line.starts_with('-')  ? style.red(safe)
             : line.starts_with("@@") ? style.dim(safe)
                                      : safe)
            + "\n";
  }
  return text;
}

std::string render_verification(const Json& result, Style style) {
  const auto took = format_elapsed(std::chrono::milliseconds(int_or(result, "duration_ms", 0)));
  if (bool_or(result, "reproducible", false)) {
    return fmt::format(
        "{} two builds of {} are the same. ({})\n", style.green("Verified:"), text_at(result, "name"), took);
  }
  std::map<std::string, Table> steps;
  for (const auto& entry : list_at(result, "differing")) {
    steps.try_emplace(text_at(entry, "step"), "  ")
        .first->second.add({text_at(entry, "class"), letter_of(text_at(entry, "status")), path_of(entry)});
  }
  std::string text;
  for (const auto& [step, table] : steps) {
    text += style.bold(step) + "\n" + table.text();
  }
  const auto count = int_or(result, "count", 0);
  const auto listed = static_cast<std::int64_t>(list_at(result, "differing").size());
  return text
         + fmt::format(
             "Two builds of {} differ in {}{}. ({})\n", text_at(result, "name"),
             count == 1 ? "1 path" : fmt::format("{} paths", count),
             listed < count ? fmt::format("; {} are listed", listed) : "", took);
}

std::vector<std::string> capture_notes(const Json& result) {
  std::vector<std::string> notes;
  if (get_string(result, "patch").empty()) {
    notes.emplace_back("nothing that a step could make was changed");
  } else if (get_bool(result, "written")) {
    notes.push_back(
        fmt::format("written to {}: pyro plan shows what apply would do", text_at(result, "file")));
  }
  std::vector<std::string> checkout;
  for (const auto& path : list_at(result, "checkout")) {
    checkout.push_back(escape_controls(path.get<std::string>()));
  }
  constexpr std::size_t k_most = 10;
  if (!checkout.empty()) {
    notes.push_back(fmt::format(
        "{} of the checkout (pyro diff --patch | git apply): {}", checkout.size(), listed(checkout, k_most)));
  }
  std::map<std::string, std::vector<std::string>> refused;
  for (const auto& each : list_at(result, "not_reproduced")) {
    refused[text_at(each, "why")].push_back(text_at(each, "path"));
  }
  for (const auto& [why, paths] : refused) {
    notes.push_back(fmt::format("not in a step: {}: {}", listed(paths, k_most), why));
  }
  for (const auto& note : list_at(result, "notes")) {
    notes.push_back(escape_controls(note.get<std::string>()));
  }
  return notes;
}

} // namespace pyro::cli
