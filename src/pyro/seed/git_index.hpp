// What git tracks in a checkout, read from its index alone: whole, split or sparse. No git is started.
#pragma once

#include "git_checkout.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace pyro::seed {

struct GitIndexBytes;

struct TrackedFile {
  std::string_view path; // relative to the top
  /// 0100644, 0100755, 0120000, 0160000 (a submodule), or 040000: a directory of a sparse index, which says
  /// nothing of the files in it. Its path ends with a slash.
  std::uint32_t mode;
  std::string_view object = {}; // the name of its content, as bytes
};

/// Sorted bytewise by path; paths of several merge stages appear once.
class GitIndex {
public:
  /// An empty index where the checkout has none yet. Error(protocol) for a damaged one, Error(unavailable)
  /// for a form that only a later git knows, Error(input_missing) where a split one lacks its shared part.
  static GitIndex read(const GitCheckout& checkout);
  /// One that is not split; throws as read() does.
  static GitIndex parse(std::string bytes, std::size_t object_name_bytes = 20);

  /// One that may be split, with the bytes of its shared part.
  static GitIndex parse_split(std::string bytes, std::string shared, std::size_t object_name_bytes = 20);

  const std::vector<TrackedFile>& files() const { return m_files; }

  /// nullptr: it is not tracked.
  const TrackedFile* find(std::string_view path) const;

  struct Range {
    std::size_t first = 0;
    std::size_t last = 0;

    bool empty() const { return first == last; }
  };

  /// The files below a directory ("" is the top, "a/b" without slash at the end).
  Range below(std::string_view directory) const;

  /// Does the index name this directory, or one above it, without naming what is in it (sparse)?
  bool is_unlisted(std::string_view directory) const;

private:
  static GitIndex of(GitIndexBytes bytes);

  std::vector<std::shared_ptr<const std::string>> m_storage; // paths point into it
  std::vector<TrackedFile> m_files;
};

} // namespace pyro::seed
