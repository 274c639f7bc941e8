// Which paths of a sandbox somebody means, in the words of git: a path and all below it, a pattern (`*.c`,
// whose stars cross slashes), and with `:!` or `:^` before it what is left out. Relative ones start at a
// directory.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pyro::workspace {

class Pathspec {
public:
  /// Everything, where there is none. Error(usage) for magic words that are not understood.
  Pathspec(const std::vector<std::string>& words, const std::string& directory);

  /// `path` is absolute in the sandbox.
  bool matches(std::string_view path) const;

  /// Absolute paths, none below another, that everything lies below which can match; empty: only something is
  /// left out.
  std::vector<std::string> roots() const;

private:
  struct Item {
    std::string text; // absolute
    bool is_pattern = false;
    bool stars_stop_at_slashes = false; // :(glob)
  };

  static bool matches(const Item& item, std::string_view path);

  std::vector<Item> m_included;
  std::vector<Item> m_excluded;
};

} // namespace pyro::workspace
