#include "helper_process.hpp"

#include <pyro/base/error.hpp>

#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <poll.h>
#include <spawn.h>
#include <unistd.h>

namespace pyro::os {

namespace {

constexpr int k_out_of_the_way = 100; // of the numbers that descriptors have in the helper

void check(int error_number, const char* what) {
  if (error_number != 0) {
    throw Error::from_errno(error_number, what);
  }
}

/// Which descriptors the helper has.
class FileActions {
public:
  explicit FileActions(const std::vector<std::pair<int, int>>& fds) {
    check(::posix_spawn_file_actions_init(&m_actions), "posix_spawn_file_actions_init");
    int beyond = 0;
    for (const auto& [target, source] : fds) {
      m_sources.push_back(duplicate(source, k_out_of_the_way));
      check(
          ::posix_spawn_file_actions_adddup2(&m_actions, m_sources.back().get(), target),
          "posix_spawn_file_actions_adddup2");
      beyond = std::max(beyond, target + 1);
    }
    check(
        ::posix_spawn_file_actions_addclosefrom_np(&m_actions, beyond),
        "posix_spawn_file_actions_addclosefrom_np");
  }

  ~FileActions() { ::posix_spawn_file_actions_destroy(&m_actions); }

  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;

  const posix_spawn_file_actions_t* get() const { return &m_actions; }

private:
  posix_spawn_file_actions_t m_actions{};
  std::vector<Fd> m_sources;
};

/// A session of its own, and signals as in a program that a shell starts.
class Attributes {
public:
  Attributes() {
    check(::posix_spawnattr_init(&m_attributes), "posix_spawnattr_init");
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    ::posix_spawnattr_setsigmask(&m_attributes, &none);
    ::posix_spawnattr_setsigdefault(&m_attributes, &all);
    ::posix_spawnattr_setflags(
        &m_attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }

  ~Attributes() { ::posix_spawnattr_destroy(&m_attributes); }

  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;

  const posix_spawnattr_t* get() const { return &m_attributes; }

private:
  posix_spawnattr_t m_attributes{};
};

} // namespace

HelperProcess HelperProcess::start(
    const std::string& program, const Variables& variables, const std::vector<std::pair<int, int>>& fds) {
  std::vector<std::string> strings;
  for (const auto& [name, value] : variables) {
    strings.push_back(name + "=" + value);
  }
  std::vector<char*> environment;
  for (auto& text : strings) {
    environment.push_back(text.data());
  }
  environment.push_back(nullptr);
  std::string name = program;
  char* arguments[] = {name.data(), nullptr};
  const FileActions actions(fds);
  const Attributes attributes;
  pid_t pid = -1;
  if (const int error = ::posix_spawn(
          &pid, program.c_str(), actions.get(), attributes.get(), arguments, environment.data());
      error != 0) {
    throw Error::from_errno(error, fmt::format("execute {}", program));
  }
  HelperProcess helper;
  helper.m_pidfd = Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  const int error_number = errno;
  if (!helper.m_pidfd && error_number != ESRCH) { // ESRCH: it has ended, and our caller ignores SIGCHLD
    throw Error::from_errno(error_number, fmt::format("pidfd_open of {}", program));
  }
  return helper;
}

void HelperProcess::end(std::chrono::milliseconds patience) {
  if (!m_pidfd) {
    return;
  }
  const auto deadline = std::chrono::steady_clock::now() + patience;
  int count = -1;
  do {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd watched{m_pidfd.get(), POLLIN, 0};
    count = ::poll(&watched, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
  } while (count < 0 && errno == EINTR);
  if (count == 0) {
    ::syscall(SYS_pidfd_send_signal, m_pidfd.get(), SIGKILL, nullptr, 0);
  }
  siginfo_t info{};
  while (::waitid(P_PIDFD, static_cast<id_t>(m_pidfd.get()), &info, WEXITED) < 0 && errno == EINTR) {
  }
  m_pidfd.reset();
}

} // namespace pyro::os
