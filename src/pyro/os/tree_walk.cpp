#include "tree_walk.hpp"

#include <pyro/base/error.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

namespace pyro::os {

namespace {

/// Only the innermost directories of a very deep tree are kept open; the others are found again through "..".
constexpr std::size_t k_open_directories = 64;

struct Frame {
  Fd fd;
  std::vector<std::string> names;
  std::size_t next = 0;
  std::size_t path_length = 0; // of this directory's path, to cut back to
  std::string name;            // in its parent

  struct stat status {};
};

class Walk {
public:
  Walk(Fd root, const TreeVisitor& visitor) : m_visitor(visitor) {
    Frame frame;
    frame.names = names_in(root.get());
    if (fstat(root.get(), &frame.status) != 0) {
      throw Error::from_errno(errno, "look at the root of a tree");
    }
    frame.fd = std::move(root);
    m_frames.push_back(std::move(frame));
  }

  void run() {
    while (!m_frames.empty()) {
      Frame& frame = m_frames.back();
      if (frame.next == frame.names.size()) {
        pop();
      } else if (!visit(frame, frame.names[frame.next++])) {
        return;
      }
    }
  }

private:
  bool visit(Frame& frame, const std::string& name) {
    const auto status = maybe_status_at(frame.fd.get(), name);
    if (!status) {
      return true;
    }
    m_path.resize(frame.path_length);
    if (!m_path.empty()) {
      m_path += '/';
    }
    m_path += name;
    const Visit answer = m_visitor.enter(TreeEntry{frame.fd.get(), name, m_path, *status});
    if (answer == Visit::stop) {
      return false;
    }
    if (answer == Visit::go_on && S_ISDIR(status->st_mode)) {
      push(frame, name, *status);
    }
    return true;
  }

  void push(const Frame& parent, const std::string& name, const struct stat& status) {
    Frame frame;
    auto opened = maybe_open_beneath(parent.fd.get(), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (!opened && m_visitor.leave) {
      throw Error(ErrorCode::stale, "{} vanished while its tree was being read", m_path);
    }
    if (!opened) {
      return;
    }
    frame.fd = std::move(*opened);
    frame.names = names_in(frame.fd.get());
    frame.path_length = m_path.size();
    frame.name = name;
    frame.status = status;
    if (m_frames.size() >= k_open_directories) {
      m_frames[m_frames.size() - k_open_directories].fd.reset();
    }
    m_frames.push_back(std::move(frame));
  }

  void pop() {
    Frame done = std::move(m_frames.back());
    m_frames.pop_back();
    if (m_frames.empty()) {
      return;
    }
    Frame& parent = m_frames.back();
    if (!parent.fd) {
      parent.fd = open_directory_at(done.fd.get(), "..");

      struct stat status {};

      if (fstat(parent.fd.get(), &status) != 0 || status.st_ino != parent.status.st_ino
          || status.st_dev != parent.status.st_dev) {
        throw Error(ErrorCode::stale, "a directory was moved while its tree was being read");
      }
    }
    if (m_visitor.leave) {
      m_path.resize(done.path_length);
      m_visitor.leave(TreeEntry{parent.fd.get(), done.name, m_path, done.status});
    }
  }

  const TreeVisitor& m_visitor;
  std::vector<Frame> m_frames;
  std::string m_path;
};

} // namespace

void walk_tree(int root, const TreeVisitor& visitor) {
  Walk(open_directory_at(root, "."), visitor).run();
}

void walk_tree(const std::string& root, const TreeVisitor& visitor) {
  Walk(open_directory(root), visitor).run();
}

std::vector<std::string> names_in(int directory) {
  if (lseek(directory, 0, SEEK_SET) < 0) {
    throw Error::from_errno(errno, "read a directory");
  }
  return names_from_here(directory);
}

std::vector<std::string> names_from_here(int directory) {
  // Straight from the kernel: a DIR stream costs another open, a close and a large buffer for each directory.
  std::vector<std::string> names;
  alignas(dirent64) std::array<char, 16 << 10> buffer;
  while (true) {
    const ssize_t size = getdents64(directory, buffer.data(), buffer.size());
    if (size < 0 && errno != ENOENT) { // removed since it was opened: it holds nothing
      throw Error::from_errno(errno, "read a directory");
    }
    if (size <= 0) {
      break;
    }
    for (ssize_t at = 0; at < size;) {
      const auto* entry = reinterpret_cast<const dirent64*>(buffer.data() + at);
      at += entry->d_reclen;
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") {
        names.emplace_back(name);
      }
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::optional<struct stat> maybe_status_at(int directory, const std::string& name) {
  struct stat status {};

  if (fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) {
    return status;
  }
  if (errno == ENOENT || errno == ENOTDIR) {
    return std::nullopt;
  }
  throw Error::from_errno(errno, "look at " + name);
}

std::string read_link_at(int directory, const std::string& name) {
  std::string target(256, '\0');
  while (true) {
    const ssize_t length = readlinkat(directory, name.c_str(), target.data(), target.size());
    if (length < 0) {
      throw Error::from_errno(errno, "read the symlink " + name);
    }
    if (static_cast<std::size_t>(length) < target.size()) {
      target.resize(static_cast<std::size_t>(length));
      return target;
    }
    target.resize(target.size() * 2);
  }
}

Fd open_directory_at(int directory, const std::string& name) {
  return open_at(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
}

Fd open_directory(const std::string& path) {
  return open_file(path, O_RDONLY | O_DIRECTORY);
}

} // namespace pyro::os
