#include "pathspec.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/path_text.hpp>
#include <pyro/seed/gitignore.hpp>

#include <algorithm>
#include <filesystem>

namespace pyro::workspace {

namespace {

constexpr std::string_view k_wildcards = "*?[";

struct Magic {
  bool exclude = false;
  bool literal = false;
  bool glob = false;
};

/// Takes what begins with a colon off `word`, as gitglossary(7) has it.
Magic take_magic(std::string& word) {
  Magic magic;
  const auto whole = word;
  if (word.starts_with(":(")) {
    const auto end = word.find(')');
    std::string_view names = std::string_view(whole).substr(2, end == std::string::npos ? 0 : end - 2);
    while (end != std::string::npos && !names.empty()) {
      const auto comma = std::min(names.find(','), names.size());
      const auto name = names.substr(0, comma);
      names.remove_prefix(std::min(comma + 1, names.size()));
      magic.exclude = magic.exclude || name == "exclude";
      magic.literal = magic.literal || name == "literal";
      magic.glob = magic.glob || name == "glob";
      if (name != "exclude" && name != "literal" && name != "glob") {
        throw Error(ErrorCode::usage, "'{}': '{}' is not understood here", whole, name)
            .with_hint("exclude, glob and literal are: ':(exclude,glob)src/**/gen'");
      }
    }
    if (end == std::string::npos) {
      throw Error(ErrorCode::usage, "'{}': the parenthesis is not closed", whole);
    }
    word.erase(0, end + 1);
  } else if (word.starts_with(":!") || word.starts_with(":^")) {
    magic.exclude = true;
    word.erase(0, 2);
  } else if (word.starts_with(':')) {
    throw Error(ErrorCode::usage, "'{}' is not understood", whole)
        .with_hint("':!PATH' leaves a path out; a name that begins with a colon is './:NAME'");
  }
  return magic;
}

/// What stands before the first wildcard, as far as whole names go.
std::string literal_directory(const std::string& pattern) {
  const auto wildcard = pattern.find_first_of(k_wildcards);
  const auto slash = pattern.rfind('/', wildcard);
  return slash == 0 || slash == std::string::npos ? "/" : pattern.substr(0, slash);
}

} // namespace

Pathspec::Pathspec(const std::vector<std::string>& words, const std::string& directory) {
  for (auto word : words) {
    const auto magic = take_magic(word);
    auto path =
        std::filesystem::path(word.starts_with('/') ? word : directory + "/" + word).lexically_normal();
    if (!path.has_filename() && path.has_relative_path()) {
      path = path.parent_path(); // "src/"
    }
    const bool is_pattern = !magic.literal && word.find_first_of(k_wildcards) != std::string::npos;
    (magic.exclude ? m_excluded : m_included).push_back({path.string(), is_pattern, magic.glob});
  }
}

bool Pathspec::matches(const Item& item, std::string_view path) {
  if (!item.is_pattern) {
    return is_at_or_below(path, item.text);
  }
  const auto slashes = item.stars_stop_at_slashes ? seed::Slashes::special : seed::Slashes::ordinary;
  return seed::wild_match_at_or_above(item.text, path, slashes);
}

bool Pathspec::matches(std::string_view path) const {
  const auto fits = [&](const Item& item) {
    return matches(item, path);
  };
  return (m_included.empty() || std::any_of(m_included.begin(), m_included.end(), fits))
         && std::none_of(m_excluded.begin(), m_excluded.end(), fits);
}

std::vector<std::string> Pathspec::roots() const {
  std::vector<std::string> all;
  for (const auto& item : m_included) {
    all.push_back(item.is_pattern ? literal_directory(item.text) : item.text);
  }
  std::vector<std::string> roots;
  for (const auto& root : all) {
    const bool is_covered = std::any_of(all.begin(), all.end(), [&](const std::string& other) {
      return other != root && is_at_or_below(root, other);
    });
    if (!is_covered && std::find(roots.begin(), roots.end(), root) == roots.end()) {
      roots.push_back(root);
    }
  }
  return roots;
}

} // namespace pyro::workspace
