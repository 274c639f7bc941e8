// Which files of a directory its git has: by name, and by content. Only the index is read (git_index.hpp); no
// git is started.
#pragma once

#include "git_index.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace pyro::seed {

class GitContent {
public:
  /// Of the checkout that holds `source`; nullopt: there is none, or its index cannot be read.
  static std::optional<GitContent> of(const std::string& source);

  /// `path` is relative to `source`.
  bool tracks(std::string_view path) const;
  /// Is exactly this what git has there (of a symlink: its target)?
  bool has(std::string_view path, std::string_view content) const;

private:
  GitContent(GitIndex index, std::string below_top, std::size_t name_bytes)
      : m_index(std::move(index)), m_below_top(std::move(below_top)), m_name_bytes(name_bytes) {}

  std::string whole(std::string_view path) const;

  GitIndex m_index;
  std::string m_below_top; // of the source; empty: it is the top
  std::size_t m_name_bytes;
};

} // namespace pyro::seed
