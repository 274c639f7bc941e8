#include "gitignore.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

namespace pyro::seed {

namespace {

constexpr std::string_view k_wildcards = "*?[\\";

using ClassTest = int (*)(int);

/// nullptr: no such class.
ClassTest class_test(std::string_view name) {
  static constexpr std::array<std::pair<std::string_view, ClassTest>, 12> k_classes{{
      {"alnum", std::isalnum},
      {"alpha", std::isalpha},
      {"blank", std::isblank},
      {"cntrl", std::iscntrl},
      {"digit", std::isdigit},
      {"graph", std::isgraph},
      {"lower", std::islower},
      {"print", std::isprint},
      {"punct", std::ispunct},
      {"space", std::isspace},
      {"upper", std::isupper},
      {"xdigit", std::isxdigit},
  }};
  for (const auto& [known, test] : k_classes) {
    if (known == name) {
      return test;
    }
  }
  return nullptr;
}

enum class Step { no, yes, malformed };

/// A bracket expression at pattern[at] == '['; on yes or no `at` is behind its ']'.
Step match_bracket(std::string_view pattern, std::size_t& at, unsigned char c) {
  std::size_t i = at + 1;
  bool inverted = i < pattern.size() && (pattern[i] == '!' || pattern[i] == '^');
  if (inverted) {
    ++i;
  }
  bool matched = false;
  int previous = -1; // left end of a possible range
  for (bool first = true;; first = false) {
    if (i >= pattern.size()) {
      return Step::malformed;
    }
    auto p = static_cast<unsigned char>(pattern[i]);
    if (p == ']' && !first) {
      break;
    }
    if (p == '[' && i + 1 < pattern.size() && pattern[i + 1] == ':') {
      auto close = pattern.find(']', i + 2);
      if (close == std::string_view::npos) {
        return Step::malformed;
      }
      if (close > i + 2 && pattern[close - 1] == ':') {
        auto test = class_test(pattern.substr(i + 2, close - i - 3));
        if (test == nullptr) {
          return Step::malformed;
        }
        matched = matched || (c < 0x80 && test(c) != 0);
        previous = -1;
        i = close + 1;
        continue;
      }
      // "[:" that is not closed by ":]" is an ordinary '['.
      matched = matched || c == '[';
      previous = '[';
      ++i;
      continue;
    }
    if (p == '-' && previous >= 0 && i + 1 < pattern.size() && pattern[i + 1] != ']') {
      ++i;
      auto high = static_cast<unsigned char>(pattern[i]);
      if (high == '\\') {
        if (++i >= pattern.size()) {
          return Step::malformed;
        }
        high = static_cast<unsigned char>(pattern[i]);
      }
      matched = matched || (c >= previous && c <= high);
      previous = -1;
      ++i;
      continue;
    }
    if (p == '\\') {
      if (++i >= pattern.size()) {
        return Step::malformed;
      }
      p = static_cast<unsigned char>(pattern[i]);
    }
    matched = matched || c == p;
    previous = p;
    ++i;
  }
  at = i + 1;
  return matched != inverted ? Step::yes : Step::no;
}

/// Where a run of stars at pattern[at] leads: behind it, and whether it may cross slashes.
struct Stars {
  std::size_t next;
  bool crosses;
  bool whole_component; // "**/" after the start or a slash: may also stand for nothing
};

Stars read_stars(std::string_view pattern, std::size_t at, Slashes slashes) {
  std::size_t next = at;
  while (next < pattern.size() && pattern[next] == '*') {
    ++next;
  }
  if (slashes == Slashes::ordinary) {
    return {next, true, false};
  }
  bool starts = at == 0 || pattern[at - 1] == '/';
  bool slash = next < pattern.size() && pattern[next] == '/';
  bool escaped_slash = next + 1 < pattern.size() && pattern[next] == '\\' && pattern[next + 1] == '/';
  bool ends = next == pattern.size() || slash || escaped_slash;
  bool crosses = next - at >= 2 && starts && ends;
  return {next, crosses, crosses && slash};
}

/// Work done so far; patterns like "*a*a*a*a*b" must not take forever.
struct Budget {
  std::uint64_t left = 1'000'000;
};

bool wild(
    std::string_view pattern, std::size_t p, std::string_view text, std::size_t t, Slashes slashes,
    Budget& budget) {
  while (p < pattern.size()) {
    if (budget.left == 0) {
      return false;
    }
    --budget.left;
    char c = pattern[p];
    if (c == '*') {
      Stars stars = read_stars(pattern, p, slashes);
      if (stars.whole_component && wild(pattern, stars.next + 1, text, t, slashes, budget)) {
        return true;
      }
      if (stars.next == pattern.size()) {
        return stars.crosses || text.find('/', t) == std::string_view::npos;
      }
      for (std::size_t rest = t;; ++rest) {
        if (wild(pattern, stars.next, text, rest, slashes, budget)) {
          return true;
        }
        if (rest >= text.size() || (!stars.crosses && text[rest] == '/') || budget.left == 0) {
          return false;
        }
      }
    }
    if (t >= text.size()) {
      return false;
    }
    char s = text[t];
    if (c == '?') {
      if (slashes == Slashes::special && s == '/') {
        return false;
      }
      ++p;
    } else if (c == '[') {
      if (slashes == Slashes::special && s == '/') {
        return false;
      }
      if (match_bracket(pattern, p, static_cast<unsigned char>(s)) != Step::yes) {
        return false;
      }
    } else {
      if (c == '\\') {
        if (++p >= pattern.size()) {
          return false;
        }
        c = pattern[p];
      }
      if (c != s) {
        return false;
      }
      ++p;
    }
    ++t;
  }
  return t == text.size();
}

/// Trailing blanks do not count unless escaped.
std::string_view without_trailing_blanks(std::string_view line) {
  std::size_t keep = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\\' && i + 1 < line.size()) {
      ++i;
      keep = i + 1;
    } else if (line[i] != ' ') {
      keep = i + 1;
    }
  }
  return line.substr(0, keep);
}

} // namespace

bool wild_match(std::string_view pattern, std::string_view text, Slashes slashes) {
  Budget budget;
  return wild(pattern, 0, text, 0, slashes, budget);
}

bool wild_match_at_or_above(std::string_view pattern, std::string_view path, Slashes slashes) {
  for (auto end = path.size(); end != std::string_view::npos && end > 0; end = path.rfind('/', end - 1)) {
    if (wild_match(pattern, path.substr(0, end), slashes)) {
      return true;
    }
  }
  return false;
}

IgnorePattern::IgnorePattern(std::string_view line) {
  if (line.starts_with('!')) {
    m_negated = true;
    line.remove_prefix(1);
  }
  if (line.ends_with('/')) {
    m_directory_only = true;
    line.remove_suffix(1);
  }
  m_name_only = line.find('/') == std::string_view::npos;
  if (line.starts_with('/')) {
    line.remove_prefix(1);
  }
  m_text = line;
  m_literal_prefix = std::min(m_text.find_first_of(k_wildcards), m_text.size());
  if (m_literal_prefix == m_text.size()) {
    m_form = Form::literal;
  } else if (m_name_only && m_text[0] == '*' && m_text.find_first_of(k_wildcards, 1) == std::string::npos) {
    m_form = Form::suffix;
  }
}

bool IgnorePattern::matches(std::string_view path, std::string_view name, bool is_directory) const {
  if (m_text.empty() || (m_directory_only && !is_directory)) {
    return false;
  }
  std::string_view subject = m_name_only ? name : path;
  switch (m_form) {
  case Form::literal:
    return subject == m_text;
  case Form::suffix:
    return subject.ends_with(std::string_view(m_text).substr(1));
  case Form::wild:
    break;
  }
  if (subject.substr(0, m_literal_prefix) != std::string_view(m_text).substr(0, m_literal_prefix)) {
    return false;
  }
  // What follows the literal part is matched as a pattern of its own, as git does it.
  return wild_match(
      std::string_view(m_text).substr(m_literal_prefix), subject.substr(m_literal_prefix),
      m_name_only ? Slashes::ordinary : Slashes::special);
}

IgnoreList::IgnoreList(std::string_view text, std::string base) : m_base(std::move(base)) {
  if (text.starts_with("\xef\xbb\xbf")) {
    text.remove_prefix(3);
  }
  while (!text.empty()) {
    auto end = std::min(text.find('\n'), text.size());
    auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) {
      line.remove_suffix(1);
    }
    if (line.starts_with('#')) {
      continue;
    }
    line = without_trailing_blanks(line);
    if (line.empty()) {
      continue;
    }
    IgnorePattern pattern(line);
    if (!pattern.empty()) {
      m_patterns.push_back(std::move(pattern));
    }
  }
}

Match IgnoreList::match(std::string_view path, std::string_view name, bool is_directory) const {
  if (!m_base.empty()) {
    if (path.size() <= m_base.size() || !path.starts_with(m_base) || path[m_base.size()] != '/') {
      return Match::none;
    }
    path.remove_prefix(m_base.size() + 1);
  }
  for (auto pattern = m_patterns.rbegin(); pattern != m_patterns.rend(); ++pattern) {
    if (pattern->matches(path, name, is_directory)) {
      return pattern->negated() ? Match::included : Match::ignored;
    }
  }
  return Match::none;
}

IgnoreRules IgnoreRules::with(std::shared_ptr<const IgnoreList> list) const {
  if (!list || list->empty()) {
    return *this;
  }
  IgnoreRules result;
  result.m_top = std::make_shared<const Node>(Node{std::move(list), m_top});
  return result;
}

Match IgnoreRules::match(std::string_view path, std::string_view name, bool is_directory) const {
  for (const Node* node = m_top.get(); node != nullptr; node = node->below.get()) {
    Match match = node->list->match(path, name, is_directory);
    if (match != Match::none) {
      return match;
    }
  }
  return Match::none;
}

} // namespace pyro::seed
