#include "atomic_file.hpp"

#include "clock.hpp"
#include "crash_point.hpp"
#include "directory.hpp"
#include "random.hpp"
#include "regular_file.hpp"
#include "tree_walk.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/json_access.hpp>

#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <unistd.h>

namespace pyro::os {

namespace {

constexpr std::string_view k_prefix = ".tmp-";
constexpr double k_old_seconds = 60;

std::string directory_of(const std::string& path) {
  const auto parent = std::filesystem::path(path).parent_path().string();
  return parent.empty() ? "." : parent;
}

void sync_fd(int fd, const std::string& path) {
  if (::fsync(fd) < 0) {
    throw Error::from_errno(errno, fmt::format("fsync {}", path));
  }
}

} // namespace

AtomicFile::AtomicFile(std::string path, mode_t mode)
    : m_path(std::move(path)),
      m_temporary(fmt::format("{}/{}{}", directory_of(m_path), k_prefix, random_hex(8))),
      m_fd(open_file(m_temporary, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, mode)) {
}

AtomicFile::~AtomicFile() {
  if (m_fd) {
    ::unlink(m_temporary.c_str());
  }
}

void AtomicFile::write(std::string_view bytes) {
  try {
    write_all(m_fd.get(), bytes);
  } catch (Error& error) {
    throw error.add_context(fmt::format("writing {}", m_path));
  }
}

void AtomicFile::commit(Durable durable) {
  if (durable == Durable::yes) {
    sync_fd(m_fd.get(), m_path);
  }
  crash_point("file.written");
  if (std::rename(m_temporary.c_str(), m_path.c_str()) < 0) {
    throw Error::from_errno(errno, fmt::format("rename {} to {}", m_temporary, m_path));
  }
  m_fd.reset();
  crash_point("file.renamed");
  if (durable == Durable::yes) {
    sync_directory(directory_of(m_path));
  }
}

void write_file_atomically(const std::string& path, std::string_view bytes, mode_t mode, Durable durable) {
  AtomicFile file(path, mode);
  file.write(bytes);
  file.commit(durable);
}

void write_file_atomically_in(
    const Fd& directory, const std::string& name, std::string_view bytes, mode_t mode,
    const std::string& shown) {
  struct stat status {};

  if (::fstatat(directory.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0
      && !S_ISREG(status.st_mode)) {
    throw Error(
        ErrorCode::permission, "{} is {}, no regular file: it is not replaced", shown,
        name_of_type(status.st_mode));
  }
  try {
    write_file_atomically(fmt::format("/proc/self/fd/{}/{}", directory.get(), name), bytes, mode);
  } catch (Error& error) {
    throw error.add_context("while writing " + shown);
  }
}

void write_json_atomically(const std::string& path, const nlohmann::json& value, Durable durable) {
  write_file_atomically(path, dump_json(value), 0600, durable);
}

void remove_old_temporaries(const std::string& directory) {
  for (const auto& name : list_directory(directory)) {
    if (!name.starts_with(k_prefix)) {
      continue;
    }
    const auto path = directory + "/" + name;

    struct stat status {};

    if (::lstat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode)
        && now_epoch() - static_cast<double>(status.st_mtim.tv_sec) > k_old_seconds) {
      ::unlink(path.c_str());
    }
  }
}

void sync_directory(const std::string& path) {
  const auto directory = open_file(path, O_RDONLY | O_DIRECTORY);
  sync_fd(directory.get(), path);
}

void sync_tree(const std::string& path) {
  TreeVisitor visitor;
  visitor.enter = [](const TreeEntry& entry) {
    if (entry.is_file()) {
      const Fd file(::openat(entry.directory, entry.name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
      if (!file) {
        throw Error::from_errno(errno, fmt::format("open {}", entry.path));
      }
      sync_fd(file.get(), entry.path);
    }
    return Visit::go_on;
  };
  visitor.leave = [](const TreeEntry& entry) {
    sync_fd(open_directory_at(entry.directory, entry.name).get(), entry.path);
  };
  walk_tree(path, visitor);
  sync_directory(path);
}

void sync_paths(const std::vector<std::string>& paths) {
  for (const auto& path : paths) {
    sync_fd(open_file(path, O_RDONLY).get(), path);
  }
}

bool is_quicker_as_a_whole(std::uint64_t count) {
  constexpr std::uint64_t k_many = 100;
  constexpr std::uint64_t k_few = 2;
  constexpr std::uint64_t k_little_kib = 16 << 10;
  if (count <= k_few || count > k_many) {
    return count > k_many;
  }
  const auto text = maybe_read_file("/proc/meminfo", 64 << 10).value_or("");
  std::uint64_t unwritten = 0;
  for (const std::string_view field : {"\nDirty:", "\nWriteback:"}) {
    const auto at = text.find(field);
    if (at == std::string::npos) {
      return false;
    }
    unwritten += std::strtoull(text.c_str() + at + field.size(), nullptr, 10);
  }
  return unwritten < k_little_kib;
}

void sync_file_system(const std::string& path) {
  const auto fd = open_file(path, O_RDONLY);
  if (::syncfs(fd.get()) < 0) {
    throw Error::from_errno(errno, fmt::format("syncfs {}", path));
  }
}

} // namespace pyro::os
