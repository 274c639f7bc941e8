#include "render.hpp"
#include "render_parts.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/names.hpp>
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

std::string render_diff(const Json& result, Style style) {
  std::string text;
  for (const auto& entry : entries_of(result)) {
    const auto letter = letter_of(string_or(entry, "status", ""));
    const auto mark = letter == "A"   ? style.green(letter)
                      : letter == "D" ? style.red(letter)
                                      : style.yellow(letter);
    const auto type = string_or(entry, "artifact_type", "file");
    text += fmt::format("{} {}{}\n", mark, path_of(entry), type == "directory" ? "/" : "");
  }
  return text.empty() ? "No differences.\n" : text;
}

std::string render_diff_stat(const Json& result) {
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

} // namespace pyro::cli
