// Walks a directory tree through descriptors: sorted, following no symlink, however deep. For lists of names
// in one directory use os/directory.hpp; to copy a tree os/tree_copy.hpp.
#pragma once

#include "fd.hpp"

#include <sys/stat.h>

#include <functional>
#include <string>
#include <vector>

namespace pyro::os {

/// One entry as the walker met it; valid only during the callback.
struct TreeEntry {
  int directory;             // the directory that holds it
  const std::string& name;   // in that directory
  const std::string& path;   // relative to the root of the walk
  const struct stat& status; // of the entry itself, never of what a symlink points to

  bool is_directory() const { return S_ISDIR(status.st_mode); }

  bool is_file() const { return S_ISREG(status.st_mode); }

  bool is_symlink() const { return S_ISLNK(status.st_mode); }
};

enum class Visit {
  go_on,
  skip, // do not enter this directory
  stop, // end the whole walk
};

struct TreeVisitor {
  /// Every entry but the root, a directory before its content, names in byte order. It may remove the entry
  /// (a directory only together with `skip`).
  std::function<Visit(const TreeEntry&)> enter;
  /// A directory after its content; may be empty. Not called for the root or for skipped directories.
  std::function<void(const TreeEntry&)> leave;
};

/// Entries that vanish while being looked at are left out; a directory that vanishes between the two
/// callbacks is Error(stale) where there is a `leave`. Throws on anything else that fails.
void walk_tree(int root, const TreeVisitor& visitor);
void walk_tree(const std::string& root, const TreeVisitor& visitor);

/// Names in an open directory, sorted, without . and .. Moves the descriptor's position.
std::vector<std::string> names_in(int directory);
/// The same of one that was just opened.
std::vector<std::string> names_from_here(int directory);

/// fstatat(2) without following a symlink; nullopt: not there.
std::optional<struct stat> maybe_status_at(int directory, const std::string& name);

/// The text of a symlink.
std::string read_link_at(int directory, const std::string& name);

/// openat(2) of a subdirectory for reading, never through a symlink.
Fd open_directory_at(int directory, const std::string& name);
Fd open_directory(const std::string& path);

} // namespace pyro::os
