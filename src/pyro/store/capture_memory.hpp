// What the files of a writable layer looked like when they were last copied, so that an unchanged one is hard
// linked to that copy instead of being copied again. Only capture.cpp uses it.
//
// The times of a file prove that it is the same only where every change moves them: a program that holds a
// writable mapping changes bytes without a trace as long as the page is dirty. So a file is remembered only
// once it was written back while nothing ran, which makes the next store a fault that moves its times. Where
// a file system never does that (tmpfs) the bytes are compared.
#pragma once

#include <pyro/os/tree_walk.hpp>

#include <sys/stat.h>

#include <chrono>
#include <ctime>
#include <memory>
#include <string>
#include <unordered_map>

namespace pyro::store {

/// What a file's inode says of it.
struct FileMark {
  dev_t device;
  ino_t inode;
  off_t size;
  timespec modified;
  timespec changed;
  bool operator==(const FileMark& other) const;
};

FileMark mark_of(const struct stat& status);

/// Files that were written back while everything ran, as they looked before: one that still looks so was not
/// stored to since, for that would have moved its times.
class WrittenBack {
public:
  std::unordered_map<std::string, FileMark> files;
};

/// A file changed this shortly before may change again within the same tick of its time stamps.
bool is_settled(const timespec& changed, const timespec& now);

class CaptureMemory {
public:
  /// Reads the file; missing or damaged it remembers nothing. An empty path: no memory at all.
  explicit CaptureMemory(std::string path, std::shared_ptr<const WrittenBack> written_back = nullptr);

  /// Says for what follows whether the times of files tell of stores through mappings.
  void begin_part(int upper);

  /// Notes the file for the next time. The path of the earlier copy where it certainly has the same content,
  /// else "". Nothing that could write to the file runs meanwhile.
  std::string same_file(const std::string& path, const os::TreeEntry& entry);

  /// Does the file look as it did when it was last copied?
  bool is_known(const std::string& path, const struct stat& status) const;

  /// Writes what was noted. Not usable before set_tree() says where the copies lie.
  void save() const;
  static void set_tree(const std::string& memory, const std::string& tree);

private:
  bool is_written_back(const std::string& path, const os::TreeEntry& entry);

  std::string m_path;
  std::shared_ptr<const WrittenBack> m_written_back;
  std::string m_tree;
  bool m_times_tell = false;
  std::chrono::nanoseconds m_time_left; // to wait for the disk in

  timespec m_now{};
  std::unordered_map<std::string, FileMark> m_known;
  std::unordered_map<std::string, FileMark> m_noted;
};

} // namespace pyro::store
