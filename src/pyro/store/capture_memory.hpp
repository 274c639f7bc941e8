// What the files of a writable layer looked like when they were last copied, so that an unchanged one is hard
// linked to that copy instead of being copied again. Only capture.cpp uses it.
#pragma once

#include <sys/stat.h>

#include <ctime>
#include <string>
#include <unordered_map>

namespace pyro::store {

class CaptureMemory {
public:
  /// Reads the file; missing or damaged it remembers nothing. An empty path: no memory at all.
  explicit CaptureMemory(std::string path);

  /// Notes the file for the next time. The path of the earlier copy where it certainly has the same content,
  /// else "".
  std::string same_file(const std::string& path, const struct stat& status);

  /// Writes what was noted. Not usable before set_tree() says where the copies lie.
  void save() const;
  static void set_tree(const std::string& memory, const std::string& tree);

private:
  struct Mark {
    dev_t device;
    ino_t inode;
    off_t size;
    timespec modified;
    timespec changed;
    bool operator==(const Mark& other) const;
  };

  std::string m_path;
  std::string m_tree;
  timespec m_now{};
  std::unordered_map<std::string, Mark> m_known;
  std::unordered_map<std::string, Mark> m_noted;
};

} // namespace pyro::store
