#include "directory.hpp"
#include "fd.hpp"
#include "tree_walk.hpp"

#include <pyro/base/error.hpp>

#include <sys/stat.h>

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <unistd.h>

namespace pyro::os {

namespace {

/// Of a very deep tree only the innermost directories are kept open; the others are found again through "..".
constexpr std::size_t k_open_to_remove = 32;

/// nullopt: somebody else has removed it. A directory of ours without permissions must not keep its content.
std::optional<Fd> open_to_empty(int parent, const std::string& name) {
  const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  int fd = ::openat(parent, name.c_str(), flags);
  if (fd < 0 && errno == EACCES && ::fchmodat(parent, name.c_str(), 0700, 0) == 0) {
    fd = ::openat(parent, name.c_str(), flags);
  }
  if (fd < 0 && errno == ENOENT) {
    return std::nullopt;
  }
  if (fd < 0) {
    throw Error::from_errno(errno, fmt::format("open directory {}", name));
  }
  return Fd(fd);
}

struct RemovalFrame {
  Fd fd;
  std::string name; // in its parent
  std::vector<std::string> names;
  std::size_t next = 0;
  dev_t device = 0;
  ino_t inode = 0;
};

class Removal {
public:
  explicit Removal(int parent) : m_parent(parent) {}

  void run(const std::string& name) {
    remove(m_parent, name);
    while (!m_frames.empty()) {
      auto& frame = m_frames.back();
      if (frame.next == frame.names.size()) {
        pop();
      } else {
        const auto inner = std::move(frame.names[frame.next++]);
        remove(frame.fd.get(), inner);
      }
    }
  }

private:
  void remove(int parent, const std::string& name) {
    if (::unlinkat(parent, name.c_str(), 0) == 0 || errno == ENOENT) {
      return;
    }
    const int error_number = errno;
    if (error_number != EISDIR && error_number != EPERM) {
      throw Error::from_errno(error_number, fmt::format("remove {}", name));
    }
    if (auto directory = open_to_empty(parent, name)) {
      push(std::move(*directory), name);
    }
  }

  void push(Fd fd, const std::string& name) {
    struct stat status {};

    if (::fstat(fd.get(), &status) != 0) {
      throw Error::from_errno(errno, fmt::format("look at {}", name));
    }
    if ((status.st_mode & 0700) != 0700) {
      std::ignore = ::fchmod(fd.get(), 0700);
    }
    RemovalFrame frame{{}, name, names_in(fd.get()), 0, status.st_dev, status.st_ino};
    frame.fd = std::move(fd);
    if (m_frames.size() >= k_open_to_remove) {
      m_frames[m_frames.size() - k_open_to_remove].fd.reset();
    }
    m_frames.push_back(std::move(frame));
  }

  void pop() {
    const auto done = std::move(m_frames.back());
    m_frames.pop_back();
    if (!m_frames.empty() && !m_frames.back().fd) {
      reopen(m_frames.back(), done.fd.get());
    }
    const int parent = m_frames.empty() ? m_parent : m_frames.back().fd.get();
    if (::unlinkat(parent, done.name.c_str(), AT_REMOVEDIR) < 0 && errno != ENOENT) {
      throw Error::from_errno(errno, fmt::format("remove directory {}", done.name));
    }
  }

  static void reopen(RemovalFrame& frame, int child) {
    frame.fd = open_directory_at(child, "..");

    struct stat status {};

    if (::fstat(frame.fd.get(), &status) != 0 || status.st_ino != frame.inode
        || status.st_dev != frame.device) {
      throw Error(ErrorCode::stale, "a directory was moved while its tree was being removed");
    }
  }

  int m_parent;
  std::vector<RemovalFrame> m_frames;
};

} // namespace

void remove_content(int directory) {
  for (const auto& name : names_in(directory)) {
    Removal(directory).run(name);
  }
}

void remove_tree(const std::string& path) {
  const std::filesystem::path whole(path);
  const auto parent = whole.parent_path().string();
  try {
    const auto directory = maybe_open_own_directory(parent.empty() ? "." : parent);
    if (!directory) {
      return;
    }
    Removal(directory->get()).run(whole.filename().string());
  } catch (Error& error) {
    throw error.add_context(fmt::format("removing {}", path));
  }
}

} // namespace pyro::os
