#include "file_lock.hpp"

#include "clock.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/interruption.hpp>
#include <pyro/base/json_access.hpp>

#include <sys/file.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <sstream>
#include <thread>
#include <unistd.h>

namespace pyro::os {

namespace {

bool try_flock(int fd, int kind) {
  while (::flock(fd, kind | LOCK_NB) < 0) {
    const int error_number = errno;
    if (error_number == EWOULDBLOCK) {
      return false;
    }
    if (error_number != EINTR) {
      throw Error::from_errno(error_number, "flock");
    }
  }
  return true;
}

Fd open_lock_file(const std::string& path) {
  return open_file(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
}

std::string our_host() {
  struct utsname name {};

  return ::uname(&name) == 0 ? name.nodename : "";
}

/// Without asking a directory service, which may take its time: /etc/passwd, else the number.
std::string find_our_name() {
  auto id = std::to_string(::geteuid());
  std::istringstream users(maybe_read_file("/etc/passwd", 1 << 20).value_or(""));
  for (std::string line; std::getline(users, line);) {
    auto name = line.substr(0, line.find(':'));
    const auto rest = line.substr(std::min(line.size(), name.size() + 1));
    const auto number = rest.find(':');
    if (number != std::string::npos && rest.compare(number + 1, id.size() + 1, id + ":") == 0) {
      return name;
    }
  }
  return id;
}

/// Every lock notes it.
const std::string& our_name() {
  static const auto s_name = find_our_name();
  return s_name;
}

// The holder's note is only for messages, so a failure to write it must not fail the lock (a full disk, say).
void note_holder(int fd, const std::string& operation) {
  const auto text = Json{
      {"pid", ::getpid()},
      {"operation", operation},
      {"since", now_epoch()},
      {"owner", our_name()},
      {"host",
       our_host()}}.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (::ftruncate(fd, 0) == 0) {
    std::ignore = ::pwrite(fd, text.data(), text.size(), 0);
  }
}

std::optional<LockHolder> read_holder(const std::string& path) {
  try {
    const auto text = maybe_read_file(path, 4096);
    if (!text || text->empty()) {
      return std::nullopt;
    }
    const auto value = parse_json(*text, path);
    const LockHolder holder{
        static_cast<int>(get_int(value, "pid")), get_string(value, "operation"), get_double(value, "since"),
        string_or(value, "owner", ""), string_or(value, "host", "")};
    const bool is_ours = holder.host.empty() || holder.host == our_host(); // else its pid means nothing here
    const bool is_gone = is_ours && ::kill(holder.pid, 0) < 0 && errno == ESRCH;
    return is_gone ? std::nullopt : std::optional(holder);
  } catch (const Error&) {
    return std::nullopt; // being written at this moment, or a full disk: the holder is just not known
  }
}

Fd wait_for_lock(
    const std::string& path, int kind, std::chrono::milliseconds timeout, const WaitingCallback& waiting) {
  auto fd = open_lock_file(path);
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  auto pause = std::chrono::milliseconds(1);
  bool told = false;
  while (!try_flock(fd.get(), kind)) {
    const auto holder = read_holder(path);
    if (!told && waiting) {
      waiting(holder);
    }
    told = true;
    check_interruption();
    if (std::chrono::steady_clock::now() >= deadline) {
      throw Error(
          ErrorCode::locked, "the lock is held by {}",
          holder ? to_string(*holder) : std::string("another process"))
          .with_hint("wait for it to end, or give more time with --lock-timeout");
    }
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, std::chrono::milliseconds(50));
  }
  return fd;
}

} // namespace

std::string to_string(const LockHolder& holder) {
  auto who = holder.owner.empty() || holder.owner == our_name() ? "" : " by " + holder.owner;
  who += holder.host.empty() || holder.host == our_host() ? "" : " on " + holder.host;
  return fmt::format(
      "{}{} (pid {}, for {:.0f} s)", holder.operation, who, holder.pid,
      std::max(0.0, now_epoch() - holder.since));
}

HeldLock::HeldLock(Fd fd, const std::string& operation) : m_fd(std::move(fd)), m_pid(::getpid()) {
  note_holder(m_fd.get(), operation);
}

HeldLock& HeldLock::operator=(HeldLock&& other) noexcept {
  take_note_back();
  m_fd = std::move(other.m_fd);
  m_pid = other.m_pid;
  return *this;
}

HeldLock::~HeldLock() {
  take_note_back();
}

void HeldLock::take_note_back() noexcept {
  if (m_fd && m_pid == ::getpid()) {
    std::ignore = ::ftruncate(m_fd.get(), 0);
    ::flock(m_fd.get(), LOCK_UN); // also for a child that was forked meanwhile and has not closed it yet
  }
}

ExclusiveLock::ExclusiveLock(
    const std::string& path, const std::string& operation, std::chrono::milliseconds timeout,
    const WaitingCallback& waiting)
    : m_lock(wait_for_lock(path, LOCK_EX, timeout, waiting), operation) {
}

std::optional<ExclusiveLock> ExclusiveLock::try_lock(const std::string& path, const std::string& operation) {
  auto fd = open_lock_file(path);
  if (!try_flock(fd.get(), LOCK_EX)) {
    return std::nullopt;
  }
  return ExclusiveLock(HeldLock(std::move(fd), operation));
}

SharedLock::SharedLock(
    const std::string& path, std::chrono::milliseconds timeout, const std::string& operation,
    const WaitingCallback& waiting)
    : m_lock(wait_for_lock(path, LOCK_SH, timeout, waiting), operation) {
}

std::optional<LockHolder> lock_holder(const std::string& path) {
  const auto fd = maybe_open(path, O_RDWR);
  if (!fd || try_flock(fd->get(), LOCK_SH)) {
    return std::nullopt;
  }
  return read_holder(path).value_or(LockHolder{0, "another process", now_epoch()});
}

} // namespace pyro::os
