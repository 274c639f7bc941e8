#include "patch_parse.hpp"

#include "line_diff.hpp"

#include <pyro/base/error.hpp>

#include <algorithm>
#include <charconv>

namespace pyro::store {

namespace {

std::string_view without_newline(std::string_view line) {
  return line.ends_with('\n') ? line.substr(0, line.size() - 1) : line;
}

class PatchParser {
public:
  explicit PatchParser(std::string_view patch) : m_lines(split_lines(patch)) {}

  std::vector<FilePatch> run() {
    std::vector<FilePatch> patches;
    while (m_at < m_lines.size()) {
      if (line().starts_with("diff --git ")) {
        patches.push_back(git_patch());
      } else if (begins_plain_patch()) {
        FilePatch patch;
        body(patch);
        patches.push_back(std::move(patch));
      } else {
        ++m_at;
      }
    }
    if (patches.empty()) {
      throw Error(ErrorCode::invalid_argument, "there is no patch in the input")
          .with_hint("a unified diff is wanted, as `git diff` and `pyro workspace diff` write it");
    }
    return patches;
  }

private:
  std::string_view line() const { return m_at < m_lines.size() ? without_newline(m_lines[m_at]) : ""; }

  std::string_view line(std::size_t ahead) const {
    return m_at + ahead < m_lines.size() ? without_newline(m_lines[m_at + ahead]) : "";
  }

  [[noreturn]] void malformed(std::string_view what) const {
    throw Error(ErrorCode::invalid_argument, "line {} of the patch: {}", m_at + 1, what);
  }

  bool begins_plain_patch() const {
    return line().starts_with("--- ") && line(1).starts_with("+++ ") && line(2).starts_with("@@ ");
  }

  FilePatch git_patch() {
    FilePatch patch;
    const auto name = name_of_both(line().substr(std::string_view("diff --git ").size()));
    patch.before = name;
    patch.after = name;
    ++m_at;
    while (m_at < m_lines.size() && extended_header(patch)) {
      ++m_at;
    }
    if (line().starts_with("GIT binary patch") || line().starts_with("Binary files ")) {
      malformed("binary content cannot be applied; push the file instead");
    }
    if (line().starts_with("--- ") && line(1).starts_with("+++ ")) {
      body(patch);
    }
    if (!patch.before && !patch.after) {
      malformed("it says neither what was before nor what comes after");
    }
    return patch;
  }

  /// False: the line is no header of this patch any more.
  bool extended_header(FilePatch& patch) {
    const auto text = line();
    const auto rest_of = [&](std::string_view start) -> std::optional<std::string_view> {
      return text.starts_with(start) ? std::optional(text.substr(start.size())) : std::nullopt;
    };
    if (const auto mode = rest_of("new file mode ")) {
      patch.before.reset();
      patch.executable = is_executable(*mode);
    } else if (const auto old_mode = rest_of("deleted file mode ")) {
      is_executable(*old_mode);
      patch.after.reset();
    } else if (const auto before = rest_of("old mode ")) {
      is_executable(*before);
    } else if (const auto after = rest_of("new mode ")) {
      patch.executable = is_executable(*after);
    } else if (const auto from = rest_of("rename from ")) {
      patch.before = checked(unquoted(*from));
    } else if (const auto to = rest_of("rename to ")) {
      patch.after = checked(unquoted(*to));
    } else if (const auto source = rest_of("copy from ")) {
      patch.before = checked(unquoted(*source));
      patch.keeps_source = true;
    } else if (const auto copy = rest_of("copy to ")) {
      patch.after = checked(unquoted(*copy));
    } else {
      return text.starts_with("index ") || text.starts_with("similarity index ")
             || text.starts_with("dissimilarity index ");
    }
    return true;
  }

  bool is_executable(std::string_view mode) const {
    if (mode.starts_with("120") || mode.starts_with("160")) {
      malformed("symlinks and submodules cannot be applied");
    }
    if (!mode.starts_with("100") || mode.size() != 6) {
      malformed(fmt::format("'{}' is no mode of a file", mode));
    }
    return mode[3] == '7';
  }

  void body(FilePatch& patch) {
    const auto before = name_line();
    const auto after = name_line();
    if (before) {
      patch.before = before;
    } else {
      patch.before.reset();
    }
    if (after) {
      patch.after = after;
    } else {
      patch.after.reset();
    }
    if (!before && !after) {
      malformed("both sides are /dev/null");
    }
    while (line().starts_with("@@ ")) {
      patch.hunks.push_back(hunk());
    }
  }

  /// Of "--- a/x" and "+++ b/x"; nullopt for /dev/null.
  std::optional<std::string> name_line() {
    auto text = line().substr(4);
    if (!text.starts_with('"')) {
      text = text.substr(0, text.find('\t')); // a date follows, or nothing
    }
    auto name = unquoted(text);
    ++m_at;
    return name == "/dev/null" ? std::nullopt : std::optional(stripped(name));
  }

  std::string stripped(const std::string& name) const {
    const auto slash = name.find('/');
    if (slash == std::string::npos) {
      malformed(fmt::format("'{}' lacks the first part (a/ or b/)", name));
    }
    return checked(name.substr(slash + 1));
  }

  std::string checked(std::string name) const {
    const auto outside = name.empty() || name.starts_with('/') || name == ".." || name.starts_with("../")
                         || name.ends_with("/..") || name.find("/../") != std::string::npos
                         || name.find('\0') != std::string::npos;
    if (outside) {
      malformed(fmt::format("the path '{}' must stay inside /workspace", name));
    }
    return name;
  }

  /// "a/NAME b/NAME"; only patches without other lines that name the file rely on it.
  std::optional<std::string> name_of_both(std::string_view text) const {
    if (text.starts_with('"')) {
      std::size_t end = 1;
      while (end < text.size() && text[end] != '"') {
        end += text[end] == '\\' ? 2 : 1;
      }
      return stripped(unquoted(text.substr(0, std::min(end + 1, text.size()))));
    }
    const auto half = text.size() / 2;
    if (text.size() % 2 == 0 || text[half] != ' ') {
      return std::nullopt; // two names: rename or copy lines follow
    }
    const auto one = text.substr(0, half);
    const auto other = text.substr(half + 1);
    if (one.find('/') == std::string_view::npos
        || one.substr(one.find('/')) != other.substr(std::min(other.find('/'), other.size()))) {
      return std::nullopt;
    }
    return stripped(std::string(one));
  }

  std::string unquoted(std::string_view text) const {
    if (!text.starts_with('"')) {
      return std::string(text);
    }
    std::string name;
    for (std::size_t i = 1; i < text.size(); ++i) {
      if (text[i] == '"') {
        return name;
      }
      if (text[i] != '\\') {
        name += text[i];
        continue;
      }
      constexpr std::string_view k_letters = "abtnvfr\"\\";
      constexpr std::string_view k_meant = "\a\b\t\n\v\f\r\"\\";
      const auto letter = ++i < text.size() ? k_letters.find(text[i]) : std::string_view::npos;
      if (letter != std::string_view::npos) {
        name += k_meant[letter];
        continue;
      }
      unsigned value = 0;
      const auto digits = text.substr(std::min(i, text.size()), 3);
      const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 8);
      if (digits.size() != 3 || error != std::errc() || end != digits.data() + 3 || value > 255) {
        malformed("a quoted name with an unknown escape");
      }
      name += static_cast<char>(value);
      i += 2;
    }
    malformed("a quoted name without its end");
  }

  /// "12" or "12,3" at the start of `text`; what follows it stays.
  std::pair<std::size_t, std::size_t> range(std::string_view& text) const {
    const auto number = [&] {
      std::size_t value = 0;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
      if (error != std::errc() || value > (std::size_t{1} << 31)) {
        malformed("a hunk without a proper range");
      }
      text.remove_prefix(static_cast<std::size_t>(end - text.data()));
      return value;
    };
    const auto start = number();
    std::size_t count = 1;
    if (text.starts_with(',')) {
      text.remove_prefix(1);
      count = number();
    }
    return {start, count};
  }

  PatchHunk hunk() {
    PatchHunk result;
    result.patch_line = m_at + 1;
    auto text = line();
    const auto skip = [&](std::string_view expected) {
      if (!text.starts_with(expected)) {
        malformed("a hunk without a proper range");
      }
      text.remove_prefix(expected.size());
    };
    skip("@@ -");
    auto [start, before_left] = range(text);
    skip(" +");
    auto after_left = range(text).second;
    skip(" @@");
    result.before = before_left == 0 || start == 0 ? start : start - 1;
    ++m_at;
    while (before_left > 0 || after_left > 0) {
      if (m_at >= m_lines.size()) {
        malformed("a hunk is cut off");
      }
      const auto whole = m_lines[m_at];
      const char mark = whole == "\n" ? ' ' : whole.front(); // some mailers strip the space of empty lines
      if (mark == '\\') {
        no_newline(result);
        continue;
      }
      const bool on_before = mark == ' ' || mark == '-';
      const bool on_after = mark == ' ' || mark == '+';
      if ((!on_before && !on_after) || (on_before && before_left == 0) || (on_after && after_left == 0)) {
        malformed("the lines of a hunk do not agree with its range");
      }
      before_left -= on_before ? 1 : 0;
      after_left -= on_after ? 1 : 0;
      result.lines.push_back({mark, std::string(whole == "\n" ? whole : whole.substr(1))});
      ++m_at;
    }
    if (m_at < m_lines.size() && m_lines[m_at].front() == '\\') {
      no_newline(result);
    }
    return result;
  }

  void no_newline(PatchHunk& hunk) {
    if (hunk.lines.empty()) {
      malformed("a missing newline of no line");
    }
    auto& last = hunk.lines.back().text;
    if (last.ends_with('\n')) {
      last.pop_back();
    }
    ++m_at;
  }

  std::vector<std::string_view> m_lines;
  std::size_t m_at = 0;
};

} // namespace

std::vector<FilePatch> parse_patch(std::string_view patch) {
  return PatchParser(patch).run();
}

} // namespace pyro::store
