// Directories: temporary ones that clean up after themselves, listing, and removal that follows no symlink.
#pragma once

#include "fd.hpp"

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace pyro::os {

/// Where the caller is. Error(usage) where its path is not UTF-8: it goes into records.
std::string working_directory();

/// mkdir -p with a mode for the directories it creates; an existing directory is fine.
void make_directories(const std::string& path, mode_t mode = 0700);

/// A directory of ours, all of whose path are real directories: what is listed, emptied or moved there is not
/// somewhere else. nullopt: not there. Error(permission) where a symlink is on the way.
std::optional<Fd> maybe_open_own_directory(const std::string& path);

/// Names in a directory of ours, sorted, without . and ..; empty where it does not exist. Throws as
/// maybe_open_own_directory(). For this machine's directories: list_any_directory().
std::vector<std::string> list_directory(const std::string& path);
/// As above, wherever symlinks lead.
std::vector<std::string> list_any_directory(const std::string& path);

/// Removes a file or tree through descriptors, never following symlinks or crossing into other mounts'
/// symlinks. A path that does not exist is fine. Directories without permission are opened up first where we
/// own them. Error(permission) where the directory that it lies in is reached through a symlink.
void remove_tree(const std::string& path);

/// Everything in an open directory is removed that way, the directory itself is not.
void remove_content(int directory);

bool exists(const std::string& path);
bool is_directory(const std::string& path);

/// Removed with its content on destruction unless released.
class TempDir {
public:
  /// Creates "<parent>/<prefix>-<random>", mode 0700.
  TempDir(const std::string& parent, const std::string& prefix);
  ~TempDir();
  TempDir(TempDir&& other) noexcept;
  TempDir& operator=(TempDir&&) = delete;

  const std::string& path() const { return m_path; }

  /// Keeps the directory; returns its path.
  std::string release();

private:
  std::string m_path;
};

} // namespace pyro::os
