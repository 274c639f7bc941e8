// Exact copies of trees: owner, mode, times, symlinks, hard links, holes, extended attributes and overlayfs
// whiteouts. To look at a tree use os/tree_walk.hpp.
#pragma once

#include "tree_walk.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace pyro::os {

/// Extended attributes that belong to a tree's content: user.*, security.capability and POSIX ACLs.
using ExtendedAttributes = std::map<std::string, std::string>;

/// Of an open file or directory. Of overlayfs' own attributes only `user.overlay.opaque` is among them (its
/// records of where a file came from mean nothing in a copy).
ExtendedAttributes extended_attributes_of(int fd);

/// Is this attribute overlayfs' own bookkeeping, which no copy or layer keeps?
bool is_overlay_bookkeeping(std::string_view attribute);

/// Does this directory hide what the layers below have (user.overlay.opaque = y)?
bool is_opaque(int directory);

/// Does this entry delete what the layers below have (character device 0:0)?
bool is_whiteout(const struct stat& status);

/// Every byte of one file into another, as a reflink where the file system can, else keeping holes.
enum class CopyMethod { reflinked, copied };
CopyMethod copy_content(int source, int target);
/// "reflink" or "sparse_copy", as results name it (clone_mode).
std::string_view name_of(CopyMethod method);

struct CopyOptions {
  /// Entries for which this is false are left out, directories with all their content.
  std::function<bool(const TreeEntry&)> wanted;
  /// A path of an existing, immutable file on the same file system with the very same content and metadata,
  /// to be hard linked instead of copied; empty where there is none.
  std::function<std::string(const TreeEntry&)> same_file;
};

struct CopyReport {
  std::uint64_t entries = 0;
  std::uint64_t linked = 0;
  std::uint64_t reflinked = 0;
  std::uint64_t copied = 0;
  std::uint64_t bytes_copied = 0;
  /// Attributes that we were not allowed to set (security.capability without the privilege).
  std::uint64_t attributes_lost = 0;
};

/// Copies the content and metadata of the directory `source` into `target`, which is created (its parent
/// exists) or is an existing empty directory. Sockets and device nodes other than whiteouts are left out.
CopyReport copy_tree(int source, const std::string& target, const CopyOptions& options = {});
CopyReport copy_tree(const std::string& source, const std::string& target, const CopyOptions& options = {});

} // namespace pyro::os
