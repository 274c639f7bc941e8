#include "host.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/os/tree_walk.hpp>

#include <cerrno>
#include <condition_variable>
#include <dirent.h>
#include <fcntl.h>
#include <mutex>
#include <thread>
#include <unistd.h>

namespace pyro::environment {

namespace {

struct DirCloser {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

/// Walks the live directories with two threads: some hundred thousand entries on an ordinary machine.
class Scan {
public:
  explicit Scan(const Host& host)
      : m_host(host), m_keep_directories(host.id_space != os::IdSpace::Kind::shifted) {}

  PlannedTree run() {
    for (const auto& name : m_host.directories) {
      struct stat status {};

      if (::lstat((m_host.root + "/" + name).c_str(), &status) == 0) {
        m_found[name] = planned_like(PlannedEntry::Kind::directory, status);
        m_device[name] = status.st_dev;
        m_waiting.push_back(name);
      }
    }
    std::thread helper([this] { work(); });
    work();
    helper.join();
    if (m_failure) {
      std::rethrow_exception(m_failure);
    }
    return std::move(m_found);
  }

private:
  void work() {
    std::unique_lock lock(m_mutex);
    while (true) {
      m_changed.wait(lock, [this] { return !m_waiting.empty() || m_busy == 0; });
      if (m_waiting.empty()) {
        return;
      }
      const auto path = std::move(m_waiting.back());
      m_waiting.pop_back();
      ++m_busy;
      lock.unlock();
      PlannedTree found;
      std::vector<std::string> directories;
      std::exception_ptr failure;
      try {
        look_into(path, found, directories);
      } catch (...) {
        failure = std::current_exception(); // rethrown by run()
      }
      lock.lock();
      --m_busy;
      m_found.merge(found);
      if (failure) {
        m_failure = failure;
        m_waiting.clear();
      } else {
        m_waiting.insert(m_waiting.end(), directories.begin(), directories.end());
      }
      m_changed.notify_all();
    }
  }

  void look_into(const std::string& path, PlannedTree& found, std::vector<std::string>& directories) {
    auto fd = os::maybe_open(m_host.root + "/" + path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (!fd) {
      return; // vanished
    }
    const std::unique_ptr<DIR, DirCloser> directory(::fdopendir(fd->get()));
    if (!directory) {
      throw Error::from_errno(errno, fmt::format("read directory /{}", path));
    }
    fd->release();
    errno = 0;
    while (const auto* entry = ::readdir(directory.get())) {
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") {
        look_at(::dirfd(directory.get()), *entry, path + "/" + std::string(name), found, directories);
      }
      errno = 0;
    }
    if (errno != 0) {
      throw Error::from_errno(errno, fmt::format("read directory /{}", path));
    }
  }

  void look_at(
      int parent, const dirent& entry, const std::string& path, PlannedTree& found,
      std::vector<std::string>& directories) {
    if (entry.d_type == DT_LNK) {
      return;
    }

    struct stat status {};

    if (::fstatat(parent, entry.d_name, &status, AT_SYMLINK_NOFOLLOW) < 0) {
      if (errno == ENOENT) {
        return;
      }
      throw Error::from_errno(errno, fmt::format("stat /{}", path));
    }
    if (S_ISDIR(status.st_mode)) {
      look_at_directory(status, path, found, directories);
    } else if (!S_ISLNK(status.st_mode) && (!S_ISREG(status.st_mode) || (status.st_mode & S_IROTH) == 0)) {
      found[path] = {
          PlannedEntry::Kind::whiteout}; // sockets, FIFOs, devices, and what not everybody may read
    }
  }

  void look_at_directory(
      const struct stat& status, const std::string& path, PlannedTree& found,
      std::vector<std::string>& directories) {
    constexpr mode_t k_list = S_IROTH | S_IXOTH;
    if ((status.st_mode & k_list) != k_list) {
      found[path] = planned_like(PlannedEntry::Kind::opaque_directory, status);
      return;
    }
    if (m_keep_directories) {
      found[path] = planned_like(PlannedEntry::Kind::directory, status);
    }
    if (status.st_dev
        == m_device.at(path.substr(0, path.find('/')))) { // other file systems are not seen inside
      directories.push_back(path);
    }
  }

  const Host& m_host;
  const bool m_keep_directories; // as an ordinary user nothing could be written
  std::mutex m_mutex;
  std::condition_variable m_changed;
  std::vector<std::string> m_waiting;
  int m_busy = 0;
  std::exception_ptr m_failure;
  PlannedTree m_found;
  std::map<std::string, dev_t> m_device;
};

/// Directories above something planned, as they are on the machine: overlayfs shows the topmost's owner and
/// mode.
void plan_parents(PlannedTree& plan, const Host& host, const std::string& path) {
  for (auto end = path.rfind('/'); end != std::string::npos; end = path.rfind('/', end - 1)) {
    const auto parent = path.substr(0, end);

    struct stat status {};

    if (plan.contains(parent)) {
      return;
    }
    const bool known = ::lstat((host.root + "/" + parent).c_str(), &status) == 0 && S_ISDIR(status.st_mode);
    plan[parent] = known ? planned_like(PlannedEntry::Kind::directory, status) : planned_directory();
  }
}

} // namespace

void plan_host_masks(PlannedTree& plan, const Host& host) {
  auto found = Scan(host).run();
  for (const auto& path : host.masked) {
    std::erase_if(found, [&](const auto& item) { return item.first.starts_with(path + "/"); });
    found[path] = {PlannedEntry::Kind::opaque_directory, 0755};
  }
  found["usr/sbin/policy-rc.d"] = planned_file(std::string(k_policy_rc), 0755);
  for (auto& [path, entry] : found) {
    plan_parents(found, host, path); // inserts only names that sort before this one
  }
  for (auto& [path, entry] : found) {
    plan[path] = std::move(entry);
  }
}

} // namespace pyro::environment
