#include "launch.hpp"

#include "located.hpp"
#include "start_report.hpp"
#include "users.hpp"

#include <pyro/base/error.hpp>

#include <linux/close_range.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <unistd.h>

namespace pyro::agent {

namespace {

constexpr const char* k_default_path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Everything the child needs to execute a program, made before the fork.
struct Plan {
  std::vector<char*> argv;
  std::vector<std::string> env_text;
  std::vector<char*> env;
  std::vector<std::string> candidates;
  const char* cwd = "/";
  UserIdentity user;
  bool change_user = false;
  Stdio stdio;
  int (*built_in)() = nullptr;
};

std::map<std::string, std::string>
environment_of(const LaunchRequest& request, const UserIdentity& user, bool terminal) {
  std::map<std::string, std::string> env{
      {"PATH", k_default_path},
      {"HOME", user.home},
      {"LANG", "C.UTF-8"},
      {"PWD", request.cwd.empty() ? "/" : located(request.cwd)}};
  if (!user.name.empty()) {
    env["USER"] = user.name;
    env["LOGNAME"] = user.name;
  }
  if (terminal) {
    env["TERM"] = "xterm-256color";
  }
  for (auto& [key, value] : request.env) {
    env[key] = value;
  }
  env["PYRO_EXEC_ID"] = request.marker;
  return env;
}

std::vector<std::string> candidates_of(const std::string& program, const std::string& path) {
  if (program.find('/') != std::string::npos) {
    return {program};
  }
  std::vector<std::string> candidates;
  std::size_t start = 0;
  while (start <= path.size()) {
    auto end = std::min(path.find(':', start), path.size());
    auto directory = path.substr(start, end - start);
    candidates.push_back((directory.empty() ? "." : directory) + "/" + program);
    start = end + 1;
  }
  return candidates;
}

/// The text for /proc/self/oom_score_adj; empty: left as it is.
std::string& oom_score_text() {
  static std::string s_text;
  return s_text;
}

/// Before the change of user: the file is root's. 0 or an error number.
int take_oom_score() {
  const auto& text = oom_score_text();
  if (text.empty()) {
    return 0;
  }
  const int file = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
  const bool is_written = file >= 0 && ::write(file, text.data(), text.size()) > 0;
  const int error = errno;
  if (file >= 0) {
    ::close(file);
  }
  return is_written ? 0 : error;
}

/// Terminals and pipes are the user's, who may open them again by name (/dev/stderr). What is no pipe is not
/// the command's own.
void give_to(const UserIdentity& user, const Stdio& stdio) {
  if (stdio.is_terminal) {
    (void)!::fchown(stdio.in, user.uid, static_cast<gid_t>(-1)); // the kernel has its own idea otherwise
    return;
  }
  for (const int fd : {stdio.in, stdio.out, stdio.err}) {
    struct stat status {};

    if (::fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode)) {
      (void)!::fchown(fd, user.uid, user.gid); // refused: it can be used, but not opened again
    }
  }
}

[[noreturn]] void child_main(const Plan& plan, int report_fd) {
  auto give_up = [](StartStage stage, int error) {
    const StartReport report{stage, error};
    (void)!::write(3, &report, sizeof(report)); // nobody else could be told
    ::_exit(exit_code_of(report));
  };
  // fd 3 is not ours yet: early failures are told through the original descriptor.
  if (::dup2(plan.stdio.in, 0) < 0 || ::dup2(plan.stdio.out, 1) < 0 || ::dup2(plan.stdio.err, 2) < 0
      || (report_fd != 3 && ::dup3(report_fd, 3, O_CLOEXEC) < 0)) {
    ::_exit(126);
  }
  ::syscall(SYS_close_range, 4U, ~0U, 0U);

  for (int number = 1; number < NSIG; ++number) {
    ::signal(number, SIG_DFL);
  }

  // glibc keeps 32 and 33 to itself and refuses to touch them, but a caller may have left them ignored.
  struct {
    void* handler = nullptr; // SIG_DFL
    unsigned long flags = 0;
    void* restorer = nullptr;
    unsigned long mask = 0;
  } by_default;

  for (const long number : {32L, 33L}) {
    ::syscall(SYS_rt_sigaction, number, &by_default, nullptr, sizeof(by_default.mask));
  }
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);

  if (const int error = take_oom_score(); error != 0) {
    give_up(StartStage::memory, error);
  }
  if (::setsid() < 0) {
    give_up(StartStage::session, errno);
  }
  if (plan.stdio.is_terminal && ::ioctl(0, TIOCSCTTY, 0) < 0) {
    give_up(StartStage::terminal, errno);
  }
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); // fails just where there are none
  if (plan.change_user) {
    // glibc's functions would first signal every thread that our parent has, as if we had them.
    const auto& user = plan.user;
    if (::syscall(SYS_setgroups, user.groups.size(), user.groups.data()) < 0
        || ::syscall(SYS_setresgid, user.gid, user.gid, user.gid) < 0
        || ::syscall(SYS_setresuid, user.uid, user.uid, user.uid) < 0) {
      give_up(StartStage::user, errno);
    }
  }
  ::umask(022);
  if (::chdir(plan.cwd) < 0) {
    give_up(StartStage::directory, errno);
  }
  if (plan.built_in != nullptr) {
    ::environ = const_cast<char**>(plan.env.data());
    ::close(3); // begun, as it is when a program is executed
    ::_exit(plan.built_in());
  }
  int error = ENOENT;
  for (auto& candidate : plan.candidates) {
    ::execve(candidate.c_str(), plan.argv.data(), plan.env.data());
    if (errno == EACCES || (errno != ENOENT && errno != ENOTDIR)) {
      error = errno;
    }
    if (errno != ENOENT && errno != ENOTDIR && errno != EACCES) {
      break;
    }
  }
  give_up(StartStage::program, error);
  ::_exit(127);
}

} // namespace

void set_oom_score_of_children(int adjustment) {
  oom_score_text() = std::to_string(adjustment);
}

LaunchResult launch(const LaunchRequest& request, const Stdio& stdio) {
  Plan plan;
  try {
    plan.user = resolve_user(request.user, UserDatabase::read());
  } catch (const Error& error) {
    return {-1, 126, error.message()};
  }
  plan.change_user = plan.user.uid != ::geteuid() || plan.user.gid != ::getegid();
  plan.stdio = stdio;
  const auto cwd = request.cwd.empty() ? "/" : located(request.cwd);
  plan.cwd = cwd.c_str();
  auto environment = environment_of(request, plan.user, stdio.is_terminal);
  for (auto& [key, value] : environment) {
    plan.env_text.push_back(key + "=" + value);
  }
  for (auto& text : plan.env_text) {
    plan.env.push_back(text.data());
  }
  plan.env.push_back(nullptr);
  for (auto& argument : request.argv) {
    plan.argv.push_back(const_cast<char*>(argument.c_str()));
  }
  plan.argv.push_back(nullptr);
  plan.candidates = candidates_of(request.argv.at(0), environment["PATH"]);
  plan.built_in = request.built_in;
  give_to(plan.user, stdio);

  auto report_pipe = os::make_pipe();
  auto pid = ::fork();
  if (pid < 0) {
    throw Error::from_errno(errno, "fork");
  }
  if (pid == 0) {
    child_main(plan, report_pipe.write_end.get());
  }
  report_pipe.write_end.reset();

  StartNames names{request.argv[0], request.cwd, request.user};
  StartReport report{};
  switch (await_start(report_pipe.read_end.get(), report)) {
  case Start::failed:
    ::waitpid(pid, nullptr, 0); // it ends by itself
    return {-1, exit_code_of(report), explain(report, names)};
  case Start::under_way:
    remember_start(pid, std::move(report_pipe.read_end), std::move(names));
    break;
  case Start::done:
    break;
  }
  return {pid, 0, {}};
}

} // namespace pyro::agent
