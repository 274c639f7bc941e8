#include "tree_usage.hpp"

#include "directory.hpp"
#include "tree_walk.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/text.hpp>

#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <fcntl.h>
#include <set>
#include <utility>

namespace pyro::os {

namespace {

constexpr std::uint64_t k_stat_block = 512; // of st_blocks, whatever the file system's own are
constexpr std::size_t k_max_maps = 64 << 20;

using FileId = std::pair<dev_t, ino_t>;

std::uint64_t bytes_of(const struct stat& status) {
  return static_cast<std::uint64_t>(status.st_blocks) * k_stat_block;
}

class DeletedFiles {
public:
  explicit DeletedFiles(int proc) : m_proc(proc) {}

  TreeUsage count() {
    for (const auto& name : names(m_proc, ".")) {
      if (std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isdigit(c) != 0; })) {
        count_open(name);
        count_mapped(name);
      }
    }
    return m_usage;
  }

private:
  /// Processes come and go, and some cannot be looked at: those have nothing here.
  static std::vector<std::string> names(int directory, const std::string& path) {
    const Fd fd(::openat(directory, path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    try {
      return fd ? names_in(fd.get()) : std::vector<std::string>{};
    } catch (const Error&) {
      return {};
    }
  }

  void count_open(const std::string& process) {
    for (const auto& number : names(m_proc, process + "/fd")) {
      add(process + "/fd/" + number);
    }
  }

  /// Following these links takes the privileges of root; an ordinary user's supervisor sees none of them.
  void count_mapped(const std::string& process) {
    const Fd maps(::openat(m_proc, (process + "/maps").c_str(), O_RDONLY | O_CLOEXEC));
    std::string text;
    try {
      text = maps ? read_all(maps.get(), k_max_maps) : "";
    } catch (const Error&) {
      return;
    }
    for (const auto line : lines_of(text)) {
      if (line.ends_with(" (deleted)")) {
        add(process + "/map_files/" + std::string(line.substr(0, line.find(' '))));
      }
    }
  }

  void add(const std::string& link) {
    struct stat status {};

    struct statfs system {};

    if (::fstatat(m_proc, link.c_str(), &status, 0) < 0 || !S_ISREG(status.st_mode) || status.st_nlink > 0
        || !m_seen.emplace(status.st_dev, status.st_ino).second) {
      return;
    }
    const Fd file(::openat(m_proc, link.c_str(), O_PATH | O_CLOEXEC));
    if (file && ::fstatfs(file.get(), &system) == 0
        && static_cast<unsigned long>(system.f_type) == OVERLAYFS_SUPER_MAGIC) {
      m_usage.bytes += bytes_of(status);
      ++m_usage.entries;
    }
  }

  int m_proc;
  std::set<FileId> m_seen;
  TreeUsage m_usage;
};

} // namespace

TreeUsage usage_of_tree(int directory) {
  TreeUsage usage;
  std::set<FileId> linked;
  TreeVisitor visitor;
  visitor.enter = [&](const TreeEntry& entry) {
    ++usage.entries;
    if (!entry.is_directory() && entry.status.st_nlink > 1
        && !linked.emplace(entry.status.st_dev, entry.status.st_ino).second) {
      return Visit::go_on;
    }
    const auto bytes = bytes_of(entry.status);
    usage.bytes += bytes;
    if (entry.is_file() && bytes > usage.largest_bytes) {
      usage.largest = entry.path;
      usage.largest_bytes = bytes;
    }
    return Visit::go_on;
  };
  walk_tree(directory, visitor);
  return usage;
}

TreeUsage usage_of_deleted_files(int proc) {
  return DeletedFiles(proc).count();
}

std::uint64_t free_bytes(const std::string& directory) {
  struct statvfs status {};

  if (::statvfs(directory.c_str(), &status) < 0) {
    throw Error::from_errno(errno, fmt::format("ask for the free space of {}", directory));
  }
  return static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize;
}

} // namespace pyro::os
