// Patterns with the meaning that gitignore(5) gives them, held against `git check-ignore` in the tests.
// Which files of a seed are chosen with them is seed_scan's business.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace pyro::seed {

enum class Match { none, ignored, included };

/// One pattern, compiled. `base` is the directory of the file it came from, "" or "a/b".
class IgnorePattern {
public:
  /// `line` without its newline, not blank and no comment.
  explicit IgnorePattern(std::string_view line);

  /// `path` is relative to the pattern's base; `name` is its last component.
  bool matches(std::string_view path, std::string_view name, bool is_directory) const;

  bool negated() const { return m_negated; }

  /// A pattern that can never match (only "/" or "!").
  bool empty() const { return m_text.empty(); }

private:
  enum class Form { literal, suffix, wild };

  std::string m_text;
  Form m_form = Form::wild;
  std::size_t m_literal_prefix = 0; // leading bytes without wildcards
  bool m_negated = false;
  bool m_directory_only = false;
  bool m_name_only = false; // no slash in it: matches at any depth
};

/// The patterns of one file, last match wins.
class IgnoreList {
public:
  IgnoreList() = default;
  /// `base` is the directory that holds the file, relative to the walk's root: "" or "a/b".
  IgnoreList(std::string_view text, std::string base);

  Match match(std::string_view path, std::string_view name, bool is_directory) const;

  bool empty() const { return m_patterns.empty(); }

private:
  std::string m_base;
  std::vector<IgnorePattern> m_patterns;
};

/// Lists of one walk from the weakest to the strongest, shared by the directories below: a linked list of
/// parents. Whether a parent directory is ignored is the walker's to know: nothing below it can be included
/// again.
class IgnoreRules {
public:
  IgnoreRules() = default;
  /// These rules and `list` on top.
  IgnoreRules with(std::shared_ptr<const IgnoreList> list) const;

  Match match(std::string_view path, std::string_view name, bool is_directory) const;

  bool empty() const { return !m_top; }

private:
  struct Node {
    std::shared_ptr<const IgnoreList> list;
    std::shared_ptr<const Node> below;
  };

  std::shared_ptr<const Node> m_top;
};

enum class Slashes { ordinary, special };

/// Git's wildmatch: ?, *, [..], \x, and `**` between slashes. Slashes::special: only `**` crosses a slash.
bool wild_match(std::string_view pattern, std::string_view text, Slashes slashes);
/// Does it match this path, or a directory above it?
bool wild_match_at_or_above(std::string_view pattern, std::string_view path, Slashes slashes);

} // namespace pyro::seed
