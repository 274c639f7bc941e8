#include "tree_watch.hpp"

#include <pyro/base/error.hpp>

#include <sys/inotify.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <poll.h>
#include <unistd.h>

namespace pyro::os {

namespace {

constexpr std::uint32_t k_changes = IN_MODIFY | IN_ATTRIB | IN_CLOSE_WRITE | IN_CREATE | IN_DELETE
                                    | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_ONLYDIR;

std::string joined(const std::string& directory, const std::string& name) {
  return directory.empty() ? name : directory + "/" + name;
}

} // namespace

TreeWatch::TreeWatch(std::string root, Skip skip)
    : m_root(std::move(root)), m_skip(std::move(skip)), m_fd(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
  if (!m_fd) {
    throw Error::from_errno(errno, "inotify_init1")
        .with_hint("sysctl fs.inotify.max_user_instances says how many there may be");
  }
  add_tree("");
}

void TreeWatch::add_file(const std::string& path) {
  const std::filesystem::path whole(path);
  add(whole.parent_path().string(), {whole.parent_path().string(), whole.filename().string()});
}

void TreeWatch::add(const std::string& path, Watched watched) {
  const int id = ::inotify_add_watch(m_fd.get(), path.c_str(), k_changes);
  if (id < 0 && (errno == ENOENT || errno == ENOTDIR || errno == EACCES)) {
    return; // gone already, or nothing of it can be read anyway
  }
  if (id < 0) {
    throw Error::from_errno(errno, "watching " + path)
        .with_hint("sysctl fs.inotify.max_user_watches says how many directories a user may watch");
  }
  auto& there = m_watched[id];
  for (const auto& other : there) {
    if (other.only == watched.only && other.directory == watched.directory) {
      return;
    }
  }
  there.push_back(std::move(watched));
}

/// A directory is watched before it is read, so that nothing is made in between unseen.
void TreeWatch::add_tree(const std::string& directory) {
  add(joined(m_root, directory), {directory, ""});
  std::error_code problem;
  for (const auto& entry : std::filesystem::directory_iterator(joined(m_root, directory), problem)) {
    std::error_code gone;
    const auto path = joined(directory, entry.path().filename().string());
    if (entry.is_directory(gone) && !entry.is_symlink(gone) && !m_skip(path, true)) {
      add_tree(path);
    }
  }
}

/// Was there one that counts?
bool TreeWatch::read_events() {
  alignas(inotify_event) std::array<char, 64 << 10> buffer{};
  bool counts = false;
  for (;;) {
    const auto size = ::read(m_fd.get(), buffer.data(), buffer.size());
    if (size <= 0) {
      return counts;
    }
    for (std::size_t at = 0; at < static_cast<std::size_t>(size);) {
      inotify_event event{};
      std::memcpy(&event, buffer.data() + at, sizeof event);
      const std::string name(event.len > 0 ? buffer.data() + at + sizeof event : "");
      at += sizeof event + event.len;
      if ((event.mask & IN_Q_OVERFLOW) != 0) {
        add_tree(""); // directories may have come that nobody told of
        counts = true;
        continue;
      }
      if ((event.mask & IN_IGNORED) != 0) {
        m_watched.erase(event.wd);
        continue;
      }
      const auto known = m_watched.find(event.wd);
      for (const auto& watched : known == m_watched.end() ? std::vector<Watched>{} : known->second) {
        if (!watched.only.empty()) {
          counts = counts || watched.only == name;
          continue;
        }
        const auto path = joined(watched.directory, name);
        const bool is_directory = (event.mask & IN_ISDIR) != 0;
        if (name.empty() || m_skip(path, is_directory)) {
          continue;
        }
        counts = true;
        if (is_directory && (event.mask & (IN_CREATE | IN_MOVED_TO)) != 0) {
          add_tree(path);
        }
      }
    }
  }
}

bool TreeWatch::wait(std::chrono::milliseconds limit) {
  struct pollfd waiting {};

  waiting.fd = m_fd.get();
  waiting.events = POLLIN;
  return ::poll(&waiting, 1, static_cast<int>(limit.count())) > 0 && read_events();
}

} // namespace pyro::os
