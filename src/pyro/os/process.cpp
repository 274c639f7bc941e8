#include "process.hpp"

#include "directory.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/interruption.hpp>
#include <pyro/base/text.hpp>

#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <thread>
#include <unistd.h>
#include <utility>

namespace pyro::os {

namespace {

std::vector<char*> pointers_to(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (auto& text : strings) {
    pointers.push_back(text.data());
  }
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> environment_strings(const std::map<std::string, std::string>& env) {
  std::vector<std::string> strings;
  for (const auto& [name, value] : env) {
    strings.push_back(name + "=" + value);
  }
  return strings;
}

/// Everything the child needs, prepared before the fork: after it only async-signal-safe calls are made.
struct Prepared {
  std::string program;
  std::vector<std::string> argv_text;
  std::vector<char*> argv;
  std::vector<std::string> env_text;
  std::vector<char*> env;
  const char* cwd;
  std::vector<std::pair<int, int>> fds;
  bool new_session;
  bool die_with_parent;
  pid_t parent;
  int error_pipe;
  Seclusion seclusion;
  std::uint64_t max_file_bytes;
};

[[noreturn]] void fail_child(const Prepared& prepared) {
  const int error_number = errno;
  std::ignore = ::write(prepared.error_pipe, &error_number, sizeof(error_number));
  ::_exit(127);
}

[[noreturn]] void run_child(Prepared& prepared) {
  if (prepared.new_session) {
    ::setsid();
  }
  // Before the next: a change of privileges takes the signal back.
  if (!seclude_this_process(prepared.seclusion)
      || (prepared.max_file_bytes > 0 && !limit_file_size(prepared.max_file_bytes))) {
    fail_child(prepared);
  }
  if (prepared.die_with_parent) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != prepared.parent) {
      ::_exit(127);
    }
  }
  // Whatever this process inherited without close-on-exec is no business of the child.
  ::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
  // First move every source out of the way of the targets, then to its place.
  for (auto& [target, source] : prepared.fds) {
    source = ::fcntl(source, F_DUPFD_CLOEXEC, 100);
    if (source < 0) {
      fail_child(prepared);
    }
  }
  for (const auto& [target, source] : prepared.fds) {
    if (::dup2(source, target) < 0) {
      fail_child(prepared);
    }
  }

  struct sigaction action {};

  action.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; ++number) {
    ::sigaction(number, &action, nullptr);
  }
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  if (prepared.cwd && ::chdir(prepared.cwd) < 0) {
    fail_child(prepared);
  }
  ::execve(prepared.program.c_str(), prepared.argv.data(), prepared.env.data());
  fail_child(prepared);
}

} // namespace

Outcome outcome_of(int wait_status) {
  if (WIFSIGNALED(wait_status)) {
    return {0, WTERMSIG(wait_status)};
  }
  return {WEXITSTATUS(wait_status), 0};
}

std::string to_string(const Outcome& outcome) {
  return outcome.signal ? "killed by " + signal_name(outcome.signal)
                        : fmt::format("exit code {}", outcome.code);
}

std::string signal_name(int signal) {
  const char* abbreviation = ::sigabbrev_np(signal);
  return abbreviation ? std::string("SIG") + abbreviation : fmt::format("signal {}", signal);
}

std::optional<int> signal_number(std::string_view name) {
  if (name.substr(0, 3) == "SIG") {
    name.remove_prefix(3);
  }
  for (int number = 1; number < NSIG; ++number) {
    const char* abbreviation = ::sigabbrev_np(number);
    if (abbreviation && name == abbreviation) {
      return number;
    }
  }
  return std::nullopt;
}

Child::~Child() {
  if (m_pid > 0) {
    ::kill(m_pid, SIGKILL);
    std::ignore = wait();
  }
}

Child::Child(Child&& other) noexcept : m_pid(other.release()) {
}

Child& Child::operator=(Child&& other) noexcept {
  std::swap(m_pid, other.m_pid);
  return *this;
}

void Child::signal(int number) const {
  if (m_pid > 0 && ::kill(m_pid, number) < 0 && errno != ESRCH) {
    throw Error::from_errno(errno, fmt::format("kill {}", m_pid));
  }
}

Outcome Child::wait() {
  int status = 0;
  while (::waitpid(m_pid, &status, 0) < 0) {
    if (errno != EINTR) {
      m_pid = -1;
      return {127, 0};
    }
  }
  m_pid = -1;
  return outcome_of(status);
}

std::optional<Outcome> Child::try_wait() {
  int status = 0;
  const auto ended = ::waitpid(m_pid, &status, WNOHANG);
  if (ended == 0 || (ended < 0 && errno == EINTR)) {
    return std::nullopt;
  }
  m_pid = -1;
  return ended > 0 ? outcome_of(status) : Outcome{127, 0}; // as wait() answers where there is no such child
}

pid_t Child::release() {
  return std::exchange(m_pid, -1);
}

Child spawn(const Command& command) {
  if (command.argv.empty()) {
    throw Error(ErrorCode::internal, "a command without a program");
  }
  Prepared prepared{};
  const auto program =
      command.argv[0].find('/') != std::string::npos ? command.argv[0] : find_program(command.argv[0]);
  if (!program) {
    throw Error(ErrorCode::unavailable, "the program '{}' is not installed", command.argv[0]);
  }
  prepared.program = *program;
  prepared.argv_text = command.argv;
  prepared.argv = pointers_to(prepared.argv_text);
  prepared.env_text = environment_strings(command.env ? *command.env : made_environment());
  prepared.env = pointers_to(prepared.env_text);
  prepared.cwd = command.cwd.empty() ? nullptr : command.cwd.c_str();
  prepared.fds = command.fds;
  prepared.new_session = command.new_session;
  prepared.die_with_parent = command.die_with_parent;
  prepared.parent = ::getpid();
  prepared.seclusion = command.seclusion;
  prepared.max_file_bytes = command.max_file_bytes;
  auto failure = make_pipe();
  const auto error_end = duplicate(failure.write_end.get(), 200); // out of the way of the child's descriptors
  failure.write_end.reset();
  prepared.error_pipe = error_end.get();

  const pid_t pid = ::fork();
  if (pid < 0) {
    throw Error::from_errno(errno, "fork");
  }
  if (pid == 0) {
    run_child(prepared);
  }
  Child child(pid);
  const_cast<Fd&>(error_end).reset();
  int error_number = 0;
  ssize_t got = 0;
  do {
    got = ::read(failure.read_end.get(), &error_number, sizeof(error_number));
  } while (got < 0 && errno == EINTR);
  if (got == static_cast<ssize_t>(sizeof(error_number))) {
    std::ignore = child.wait();
    throw Error::from_errno(error_number, fmt::format("execute {}", prepared.program));
  }
  return child;
}

Captured run(Command command, std::string_view input, std::chrono::milliseconds timeout, std::size_t limit) {
  auto in = make_pipe();
  auto out = make_pipe();
  auto err = make_pipe();
  command.fds = {{0, in.read_end.get()}, {1, out.write_end.get()}, {2, err.write_end.get()}};
  auto child = spawn(command);
  in.read_end.reset();
  out.write_end.reset();
  err.write_end.reset();
  set_nonblocking(in.write_end.get());
  if (input.empty()) {
    in.write_end.reset();
  }
  Captured captured;
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  std::array<char, 16384> buffer{};
  const auto drain = [&](Fd& fd, std::string& text) {
    const auto count = read_some(fd.get(), buffer);
    if (count && *count == 0) {
      fd.reset();
    } else if (count) {
      text.append(buffer.data(), std::min(*count, limit - std::min(limit, text.size())));
    }
  };
  while (out.read_end || err.read_end || in.write_end) {
    std::array<pollfd, 3> fds{
        pollfd{out.read_end.get(), POLLIN, 0}, pollfd{err.read_end.get(), POLLIN, 0},
        pollfd{in.write_end.get(), POLLOUT, 0}};
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) {
      throw Error(ErrorCode::timeout, "'{}' did not end within {} ms", command.argv[0], timeout.count());
    }
    if (::poll(fds.data(), fds.size(), static_cast<int>(std::min<std::int64_t>(left.count(), 200))) < 0
        && errno != EINTR) {
      throw Error::from_errno(errno, "poll");
    }
    check_interruption(); // the child is killed with its owner
    if (fds[0].revents) {
      drain(out.read_end, captured.out);
    }
    if (fds[1].revents) {
      drain(err.read_end, captured.err);
    }
    if (fds[2].revents) {
      const auto count = ::write(in.write_end.get(), input.data(), input.size());
      input.remove_prefix(count > 0 ? static_cast<std::size_t>(count) : 0);
      if (input.empty() || (count < 0 && errno != EAGAIN && errno != EINTR)) {
        in.write_end.reset();
      }
    }
  }
  // Its output has ended, which does not mean that it has.
  for (auto outcome = child.try_wait();; outcome = child.try_wait()) {
    if (outcome) {
      captured.outcome = *outcome;
      return captured;
    }
    if (std::chrono::steady_clock::now() >= deadline) {
      throw Error(ErrorCode::timeout, "'{}' did not end within {} ms", command.argv[0], timeout.count());
    }
    check_interruption();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

std::string run_checked(Command command, std::string_view input, std::chrono::milliseconds timeout) {
  const auto name = command.argv.empty() ? std::string{} : command.argv[0];
  auto captured = run(std::move(command), input, timeout);
  if (!captured.outcome.ok()) {
    throw Error(ErrorCode::failed, "'{}' failed: {}", name, to_string(captured.outcome))
        .with_output(last_lines(captured.err.empty() ? captured.out : captured.err));
  }
  return captured.out;
}

std::string boot_id() {
  static const auto s_id = [] {
    auto text = read_file("/proc/sys/kernel/random/boot_id", 256);
    while (!text.empty() && text.back() == '\n') {
      text.pop_back();
    }
    return text;
  }();
  return s_id;
}

namespace {

struct StatFields {
  char state;
  std::uint64_t start_time;
};

// /proc/PID/stat: the command name in parentheses may hold anything, so fields are counted after the last
// ')'.
std::optional<StatFields> stat_fields(pid_t pid) {
  std::optional<std::string> text;
  try {
    text = maybe_read_file(fmt::format("/proc/{}/stat", pid), 4096);
  } catch (const Error& error) {
    if (error.error_number() != ESRCH) {
      throw;
    }
  }
  if (!text) {
    return std::nullopt;
  }
  const auto close = text->rfind(')');
  if (close == std::string::npos || close + 2 >= text->size()) {
    return std::nullopt;
  }
  StatFields fields{(*text)[close + 2], 0};
  std::size_t position = close + 2;
  for (int field = 3; field < 22; ++field) {
    position = text->find(' ', position);
    if (position == std::string::npos) {
      return std::nullopt;
    }
    ++position;
  }
  fields.start_time = std::strtoull(text->c_str() + position, nullptr, 10);
  return fields;
}

} // namespace

std::optional<ProcessId> process_id_of(pid_t pid) {
  const auto fields = stat_fields(pid);
  return fields ? std::optional(ProcessId{pid, fields->start_time, boot_id()}) : std::nullopt;
}

bool is_alive(const ProcessId& process) {
  if (process.pid <= 0) {
    return false;
  }
  const auto fields = stat_fields(process.pid);
  return fields && fields->start_time == process.start_time && fields->state != 'Z' && fields->state != 'X'
         && process.boot_id == boot_id();
}

bool kill_and_wait(const ProcessId& process, std::chrono::milliseconds patience) {
  if (!is_alive(process)) {
    return true;
  }
  // A pidfd names one process for good; checked again after it was opened, no other process can be hit.
  const Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, process.pid, 0)));
  if (!pidfd || !is_alive(process)) {
    return true;
  }
  if (::syscall(SYS_pidfd_send_signal, pidfd.get(), SIGKILL, nullptr, 0) < 0 && errno != ESRCH) {
    throw Error::from_errno(errno, fmt::format("kill {}", process.pid));
  }
  pollfd waiting{pidfd.get(), POLLIN, 0};
  return ::poll(&waiting, 1, static_cast<int>(patience.count())) > 0;
}

} // namespace pyro::os
