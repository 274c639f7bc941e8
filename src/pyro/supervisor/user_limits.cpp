#include "user_limits.hpp"

#include <pyro/os/tree_walk.hpp>

#include <linux/kcmp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <memory>
#include <set>
#include <tuple>
#include <unistd.h>

namespace pyro::supervisor {

namespace {

/// A descriptor in flight may be an epoll instance; this is what it counts for then.
constexpr std::uint64_t k_watches_in_flight = 1 << 16;

bool watch(int instance, int descriptor) {
  epoll_event event{};
  event.events = EPOLLIN;
  return ::epoll_ctl(instance, EPOLL_CTL_ADD, descriptor, &event) == 0 || errno != ENOSPC;
}

/// An open file, by a task that has it open and its number there.
struct OpenFile {
  pid_t task;
  unsigned long number;
};

/// By where it lies in the kernel; by task and number where the kernel does not compare.
struct IsOtherFile {
  bool operator()(const OpenFile& left, const OpenFile& right) const {
    const auto order = ::syscall(SYS_kcmp, left.task, right.task, KCMP_FILE, left.number, right.number);
    return order < 0 || order > 2 ? std::tie(left.task, left.number) < std::tie(right.task, right.number)
                                  : order == 1;
  }
};

/// What is counted, each once, with the text of /proc/PID/fdinfo/N that says how much it is.
class OpenFiles {
public:
  void add_task(int directory, pid_t task) {
    const os::Fd descriptors(::openat(directory, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    for (const auto& name : descriptors ? os::names_in(descriptors.get()) : std::vector<std::string>()) {
      const auto target = link_text(descriptors.get(), name);
      const auto info = "fdinfo/" + name;
      if (target == "anon_inode:[eventpoll]") {
        if (is_new(task, name)) {
          m_use.epoll_watches += lines_with(directory, info, "tfd:").count;
        }
      } else if (target == "anon_inode:inotify") {
        if (is_new(task, name)) {
          ++m_use.inotify_instances;
          m_use.inotify_watches += lines_with(directory, info, "inotify ").count;
        }
      } else if (target.rfind("socket:", 0) == 0) {
        const auto in_flight = lines_with(directory, info, "scm_fds:").sum;
        if (in_flight > 0 && is_new(task, name)) {
          m_use.epoll_watches += in_flight * k_watches_in_flight;
          m_use.inotify_instances += in_flight;
        }
      }
    }
  }

  const UserLimitUse& use() const { return m_use; }

private:
  struct Lines {
    std::uint64_t count = 0;
    std::uint64_t sum = 0; // of the numbers after the key
  };

  bool is_new(pid_t task, const std::string& name) {
    unsigned long number = 0;
    std::from_chars(name.data(), name.data() + name.size(), number);
    return m_seen.insert({task, number}).second;
  }

  static std::string link_text(int directory, const std::string& name) {
    std::array<char, 64> text{};
    const auto length = ::readlinkat(directory, name.c_str(), text.data(), text.size());
    return {text.data(), length > 0 ? static_cast<std::size_t>(length) : 0};
  }

  /// Of a file that may have a million lines. What has ended meanwhile has none.
  static Lines lines_with(int directory, const std::string& path, std::string_view key) {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(
        ::fdopen(::openat(directory, path.c_str(), O_RDONLY | O_CLOEXEC), "r"),
        [](std::FILE* open) { return open == nullptr ? 0 : std::fclose(open); });
    Lines lines;
    std::array<char, 512> line{};
    while (file && std::fgets(line.data(), line.size(), file.get()) != nullptr) {
      const std::string_view text(line.data());
      if (text.substr(0, key.size()) == key) {
        ++lines.count;
        lines.sum += std::strtoull(text.data() + key.size(), nullptr, 10);
      }
    }
    return lines;
  }

  std::set<OpenFile, IsOtherFile> m_seen;
  UserLimitUse m_use;
};

bool is_number(const std::string& name) {
  return std::isdigit(static_cast<unsigned char>(name[0])) != 0;
}

bool is_in(const struct stat& user_namespace, int process) {
  struct stat status {};

  return ::fstatat(process, "ns/user", &status, 0) == 0 && status.st_dev == user_namespace.st_dev
         && status.st_ino == user_namespace.st_ino;
}

os::Fd open_directory(int parent, const std::string& name) {
  return os::Fd(::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

} // namespace

std::string_view name_of(UserLimit limit) {
  switch (limit) {
  case UserLimit::epoll_watches:
    return "epoll_watches";
  case UserLimit::inotify_instances:
    return "inotify_instances";
  case UserLimit::inotify_watches:
    return "inotify_watches";
  }
  return "";
}

std::string_view setting_of(UserLimit limit) {
  switch (limit) {
  case UserLimit::epoll_watches:
    return "fs.epoll.max_user_watches";
  case UserLimit::inotify_instances:
    return "fs.inotify.max_user_instances";
  case UserLimit::inotify_watches:
    return "fs.inotify.max_user_watches";
  }
  return "";
}

std::optional<std::uint64_t> most_of(UserLimit limit) {
  std::string path = "/proc/sys/" + std::string(setting_of(limit));
  std::replace(path.begin() + 1, path.end(), '.', '/');
  const os::Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 32> text{};
  const auto length = file ? ::read(file.get(), text.data(), text.size()) : 0;
  std::uint64_t most = 0;
  const auto end = text.data() + std::max<ssize_t>(length, 0);
  const bool is_known = std::from_chars(text.data(), end, most).ec == std::errc();
  return is_known ? std::optional(most) : std::nullopt;
}

std::uint64_t share_of(UserLimit limit, std::uint64_t most) {
  return limit == UserLimit::epoll_watches ? most / 16 : most / 2;
}

std::uint64_t UserLimitUse::of(UserLimit limit) const {
  switch (limit) {
  case UserLimit::epoll_watches:
    return epoll_watches;
  case UserLimit::inotify_instances:
    return inotify_instances;
  case UserLimit::inotify_watches:
    return inotify_watches;
  }
  return 0;
}

UserLimitUse use_of_processes(int user_namespace) {
  struct stat wanted {};

  const auto proc = os::open_directory("/proc");
  OpenFiles files;
  if (::fstat(user_namespace, &wanted) < 0) {
    return files.use();
  }
  for (const auto& name : os::names_in(proc.get())) {
    const auto process = is_number(name) ? open_directory(proc.get(), name) : os::Fd();
    if (!process || name == std::to_string(::getpid()) || !is_in(wanted, process.get())) {
      continue;
    }
    // Threads may have tables of descriptors of their own.
    const auto tasks = open_directory(process.get(), "task");
    for (const auto& task : tasks ? os::names_in(tasks.get()) : std::vector<std::string>()) {
      if (const auto directory = open_directory(tasks.get(), task)) {
        files.add_task(directory.get(), static_cast<pid_t>(std::stol(task)));
      }
    }
  }
  return files.use();
}

UserLimitProbe::UserLimitProbe() {
  m_events.emplace_back(::eventfd(0, EFD_CLOEXEC));
  for (int i = 1; i < k_descriptors && m_events.front(); ++i) {
    m_events.push_back(os::duplicate(m_events.front().get()));
  }
  take_reserve();
}

void UserLimitProbe::take_reserve() {
  for (int i = static_cast<int>(m_reserve.size()); i < k_instances; ++i) {
    os::Fd instance(::epoll_create1(EPOLL_CLOEXEC));
    for (const auto& event : m_events) {
      if (!instance || !watch(instance.get(), event.get())) {
        return; // next time
      }
    }
    m_reserve.push_back(std::move(instance));
  }
}

void UserLimitProbe::give_reserve() {
  m_reserve.clear();
}

/// Some tens, so that who leaves one to the others is found as well.
bool UserLimitProbe::can_watch() const {
  for (int i = 0; i < 4; ++i) {
    const os::Fd instance(::epoll_create1(EPOLL_CLOEXEC));
    for (const auto& event : m_events) {
      if (instance && !watch(instance.get(), event.get())) {
        return false;
      }
    }
  }
  return true;
}

std::optional<UserLimit> UserLimitProbe::exhausted() const {
  if (!can_watch()) {
    return UserLimit::epoll_watches;
  }
  const os::Fd instance(::inotify_init1(IN_CLOEXEC));
  if (!instance) {
    return errno == EMFILE ? std::optional(UserLimit::inotify_instances) : std::nullopt;
  }
  for (const char* path : {"/", "/proc", "/dev", "/usr"}) {
    if (::inotify_add_watch(instance.get(), path, IN_DELETE_SELF) < 0 && errno == ENOSPC) {
      return UserLimit::inotify_watches;
    }
  }
  return std::nullopt;
}

} // namespace pyro::supervisor
