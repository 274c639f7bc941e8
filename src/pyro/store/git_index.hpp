// What git tracks in a checkout: reads .git/index (versions 2 to 4) itself and asks `git ls-files` where it
// cannot.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pyro::store {

/// Where a checkout keeps its things; worktrees and submodules have a .git file that points elsewhere.
struct GitCheckout {
  std::string top;        // absolute path of the working tree
  std::string git_dir;    // holds the index
  std::string common_dir; // holds info/exclude and config
};

/// The checkout that holds `directory` (itself or a parent); nullopt: none.
std::optional<GitCheckout> find_checkout(const std::string& directory);
/// The checkout whose top is exactly `directory`.
std::optional<GitCheckout> checkout_at(const std::string& directory);

struct TrackedFile {
  std::string_view path; // relative to the top
  std::uint32_t mode;    // 0100644, 0100755, 0120000 or 0160000 (a submodule)
};

/// Sorted bytewise by path; paths of several merge stages appear once.
class GitIndex {
public:
  /// An empty index where the checkout has none yet.
  static GitIndex read(const GitCheckout& checkout);
  /// nullopt: a form this reader does not know (split, sparse, SHA-256). Throws Error(protocol) for a damaged
  /// one.
  static std::optional<GitIndex> parse(std::string bytes);
  /// The output of `git ls-files -z --stage`.
  static GitIndex from_ls_files(std::string bytes);

  const std::vector<TrackedFile>& files() const { return m_files; }

  struct Range {
    std::size_t first = 0;
    std::size_t last = 0;

    bool empty() const { return first == last; }
  };

  /// The files below a directory ("" is the top, "a/b" without slash at the end).
  Range below(std::string_view directory) const;

private:
  std::shared_ptr<const std::string> m_bytes; // paths point into it...
  std::shared_ptr<const std::string> m_arena; // ...or into it, where they are compressed (version 4)
  std::vector<TrackedFile> m_files;
};

} // namespace pyro::store
