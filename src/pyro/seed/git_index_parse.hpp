// The bytes of .git/index, versions 2 to 4, as they stand: whole, split or sparse, with SHA-1 or SHA-256.
// What they mean together is git_index's business. Nothing in them is trusted.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pyro::seed {

constexpr std::uint32_t k_git_directory_mode =
    040000; // an entry of a sparse index; its path ends with a slash

struct GitIndexEntry {
  std::string_view path; // empty: a split index replaces an entry of the shared one
  std::uint32_t mode = 0;
  std::string_view object; // the name of its content, as bytes
  bool is_file = true;     // false: only announced (git add -N)
  bool in_merge = false;   // one of the sides of a conflict, of the same path
};

/// A split index says what differs from a shared one, by position there.
struct SplitLink {
  std::string shared; // hexadecimal; the file is "sharedindex.SHARED"
  std::vector<std::uint32_t> deleted;
  std::vector<std::uint32_t> replaced;
};

struct GitIndexBytes {
  std::vector<std::shared_ptr<const std::string>> storage; // what the paths point into
  std::vector<GitIndexEntry> entries;                      // one for each stage of a merge
  std::optional<SplitLink> link;
};

/// Error(protocol) for a damaged one, Error(unavailable) for a form of a later git.
GitIndexBytes parse_git_index(std::string bytes, std::size_t object_name_bytes);

[[noreturn]] void throw_damaged_git_index(std::string_view what);

} // namespace pyro::seed
