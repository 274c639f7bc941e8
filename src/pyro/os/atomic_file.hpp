// Files that others read are written beside their place, synced, and renamed over it; a crash never leaves
// half a file.
#pragma once

#include "fd.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace pyro::os {

enum class Durable { yes, no };

/// The destructor discards; commit() publishes. Temp name: "<dir>/.tmp-<random>".
class AtomicFile {
public:
  explicit AtomicFile(std::string path, mode_t mode = 0600);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::string_view bytes);

  int fd() const { return m_fd.get(); }

  /// fsync, rename over the path, fsync of the directory (the syncs only where `durable`).
  void commit(Durable durable = Durable::yes);

private:
  std::string m_path;
  std::string m_temporary;
  Fd m_fd;
};

void write_file_atomically(
    const std::string& path, std::string_view bytes, mode_t mode = 0600, Durable durable = Durable::yes);
/// The same for a file of an open directory, whose path may lead elsewhere by now; `shown` is for messages.
/// Error(permission) where something other than a regular file is in its place.
void write_file_atomically_in(
    const Fd& directory, const std::string& name, std::string_view bytes, mode_t mode,
    const std::string& shown);
/// dump_json() of the value.
void write_json_atomically(
    const std::string& path, const nlohmann::json& value, Durable durable = Durable::yes);

/// Removes what killed writers left in a directory: temporary files of AtomicFile that nobody can still be
/// writing, as they are older than a minute. A missing directory is fine.
void remove_old_temporaries(const std::string& directory);

/// fsync of a directory, so that a rename in it lasts.
void sync_directory(const std::string& path);
/// fsync of every file and directory of a tree: for few of them, since it waits for nothing that others
/// wrote.
void sync_tree(const std::string& path);
/// fsync of each, in this order.
void sync_paths(const std::vector<std::string>& paths);
/// Is it quicker to sync the file system than `count` files and directories of it? It is where they are many,
/// and where hardly anything else on this machine waits to be written.
bool is_quicker_as_a_whole(std::uint64_t count);
/// syncfs(2) of the file system that holds the path.
void sync_file_system(const std::string& path);

} // namespace pyro::os
