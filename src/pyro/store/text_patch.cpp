#include "text_patch.hpp"

#include "line_diff.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/safe_text.hpp>

#include <algorithm>

namespace pyro::store {

namespace {

constexpr int k_context = 3;

/// In ---/+++ lines git ends a name that holds a space with a tab, so that no date is looked for after it.
std::string name_line(std::string_view mark, const std::string& name) {
  const std::string quoted = git_quoted(name);
  const bool needs_tab = quoted.front() != '"' && quoted.find(' ') != std::string::npos;
  return fmt::format("{} {}{}\n", mark, quoted, needs_tab ? "\t" : "");
}

std::string range(int first, int count) {
  // An empty range is named by the line before it.
  const int start = count == 0 ? first : first + 1;
  return count == 1 ? std::to_string(start) : fmt::format("{},{}", start, count);
}

void add_line(std::string& out, char mark, std::string_view line) {
  out += mark;
  out += line;
  if (line.empty() || line.back() != '\n') {
    out += "\n\\ No newline at end of file\n";
  }
}

std::string hunks(std::string_view before, std::string_view after) {
  const auto left = split_lines(before);
  const auto right = split_lines(after);
  const auto changes = line_changes(left, right);
  std::string out;
  for (std::size_t first = 0; first < changes.size();) {
    std::size_t last = first; // changes with little between them share a hunk
    while (last + 1 < changes.size()
           && changes[last + 1].before - (changes[last].before + changes[last].before_count)
                  <= 2 * k_context) {
      ++last;
    }
    const int lead = std::min(k_context, changes[first].before);
    const int end_before = changes[last].before + changes[last].before_count;
    const int trail = std::min(k_context, static_cast<int>(left.size()) - end_before);
    const int from_before = changes[first].before - lead;
    const int from_after = changes[first].after - lead;
    const int end_after = changes[last].after + changes[last].after_count;
    out += fmt::format(
        "@@ -{} +{} @@\n", range(from_before, end_before + trail - from_before),
        range(from_after, end_after + trail - from_after));
    int at = from_before;
    for (std::size_t i = first; i <= last; ++i) {
      const LineChange& change = changes[i];
      for (; at < change.before; ++at) {
        add_line(out, ' ', left[static_cast<std::size_t>(at)]);
      }
      for (; at < change.before + change.before_count; ++at) {
        add_line(out, '-', left[static_cast<std::size_t>(at)]);
      }
      for (int line = change.after; line < change.after + change.after_count; ++line) {
        add_line(out, '+', right[static_cast<std::size_t>(line)]);
      }
    }
    for (; at < end_before + trail; ++at) {
      add_line(out, ' ', left[static_cast<std::size_t>(at)]);
    }
    first = last + 1;
  }
  return out;
}

std::string_view git_mode(const TextSide& side) {
  return side.executable ? "100755" : "100644";
}

std::optional<TextSide> side_of(const Found& found) {
  if (!found.is_file() || static_cast<std::uint64_t>(found.status.st_size) > k_text_patch_limit) {
    return std::nullopt;
  }
  TextSide side{
      os::read_all(found.open().get(), k_text_patch_limit + (1 << 20)), (found.status.st_mode & 0100) != 0};
  if (!is_text(side.content)) {
    return std::nullopt;
  }
  return side;
}

const std::string& patch_path(const DiffEntry& entry) {
  return entry.patch_path.empty() ? entry.path : entry.patch_path;
}

} // namespace

std::optional<std::string> text_patch(const DiffEntry& entry) {
  if (entry.status == DiffStatus::type_changed || entry.artifact_type != ArtifactType::file) {
    return std::nullopt;
  }
  std::optional<TextSide> before;
  std::optional<TextSide> after;
  if (entry.before && !(before = side_of(*entry.before))) {
    return std::nullopt;
  }
  if (entry.after && !(after = side_of(*entry.after))) {
    return std::nullopt;
  }
  if (before && after && before->content == after->content && before->executable == after->executable) {
    return std::nullopt; // an owner, or a mode that git does not know
  }
  return text_patch(patch_path(entry), before, after);
}

std::optional<std::string> removal_patch(const DiffEntry& entry) {
  if (!entry.before) {
    return std::nullopt;
  }
  if (entry.before->is_symlink()) {
    const auto target = entry.before->link_target();
    if (!is_text(target)) {
      return std::nullopt;
    }
    return fmt::format(
        "diff --git {} {}\ndeleted file mode 120000\n{}+++ /dev/null\n{}",
        git_quoted("a/" + patch_path(entry)), git_quoted("b/" + patch_path(entry)),
        name_line("---", "a/" + patch_path(entry)), hunks(target, ""));
  }
  const auto before = side_of(*entry.before);
  return before ? std::optional(text_patch(patch_path(entry), before, std::nullopt)) : std::nullopt;
}

std::string text_patch(
    const std::string& path, const std::optional<TextSide>& before, const std::optional<TextSide>& after) {
  std::string out = fmt::format("diff --git {} {}\n", git_quoted("a/" + path), git_quoted("b/" + path));
  if (!before && after) {
    out += fmt::format("new file mode {}\n", git_mode(*after));
  } else if (before && !after) {
    out += fmt::format("deleted file mode {}\n", git_mode(*before));
  } else if (before && after && before->executable != after->executable) {
    out += fmt::format("old mode {}\nnew mode {}\n", git_mode(*before), git_mode(*after));
  }
  const std::string changes = hunks(before ? before->content : "", after ? after->content : "");
  if (!changes.empty()) {
    out += before ? name_line("---", "a/" + path) : "--- /dev/null\n";
    out += after ? name_line("+++", "b/" + path) : "+++ /dev/null\n";
    out += changes;
  }
  return out;
}

std::string git_quoted(const std::string& name) {
  std::string out;
  bool needed = false;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    constexpr std::string_view k_special = "\a\b\t\n\v\f\r\"\\";
    constexpr std::string_view k_letters = "abtnvfr\"\\";
    if (const auto at = k_special.find(c); at != std::string_view::npos) {
      out += '\\';
      out += k_letters[at];
      needed = true;
    } else if (byte < 0x20 || byte >= 0x7f) {
      out += fmt::format("\\{:03o}", byte);
      needed = true;
    } else {
      out += c;
    }
  }
  return needed ? "\"" + out + "\"" : out;
}

bool is_text(std::string_view content) {
  return content.find('\0') == std::string_view::npos && is_utf8(content);
}

} // namespace pyro::store
