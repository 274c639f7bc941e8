#include "egress.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/json_access.hpp>
#include <pyro/os/id_space.hpp>
#include <pyro/os/process.hpp>

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <unistd.h>

namespace pyro::backend::namespaces {

namespace {

/// pid 1 of pasta's namespace: starts it, tells how that went, then waits for the supervisor's end of the
/// pipe to close.
[[noreturn]] void keep_pasta(pid_t sandbox, int tether, int report) {
  std::string message = "ok";
  try {
    ::prctl(PR_SET_NAME, "pyro-egress");
    os::Command pasta{
        {"pasta", "--config-net", "--quiet", "--netns-only", "--netns",
         fmt::format("/proc/{}/ns/net", sandbox), "--runas", "0:0", "--no-map-gw", "-t", "none", "-u", "none",
         "-T", "none", "-U", "none"}};
    // pasta goes to the background once the network is there, which is how we know.
    const auto captured = os::run(std::move(pasta), {}, std::chrono::seconds(20), 64 << 10);
    if (!captured.outcome.ok()) {
      throw Error(
          ErrorCode::unavailable, "pasta could not connect the sandbox to the network: {}",
          captured.err.empty() ? to_string(captured.outcome) : captured.err);
    }
  } catch (const Error& error) {
    message = to_json(error).dump();
  }
  os::write_all(report, message);
  ::close(report);
  std::array<char, 1> nothing{};
  while (::read(tether, nothing.data(), nothing.size()) < 0 && errno == EINTR) {
  }
  ::_exit(0); // the kernel kills the whole pid namespace
}

/// Joins the sandbox's user namespace and makes the pid namespace; ends at once, its child stays.
[[noreturn]] void enter_and_fork(pid_t sandbox, int tether, int report) {
  try {
    // The keeper must hold nothing of the supervisor: an open agent channel would outlive it.
    if (::dup2(tether, 3) < 0 || ::dup2(report, 4) < 0 || ::syscall(SYS_close_range, 5U, ~0U, 0U) < 0) {
      throw Error::from_errno(errno, "close the supervisor's descriptors");
    }
    tether = 3;
    report = 4;
    const auto user_namespace = os::open_file(fmt::format("/proc/{}/ns/user", sandbox), O_RDONLY);
    if (::setns(user_namespace.get(), CLONE_NEWUSER) < 0) {
      throw Error::from_errno(errno, "join the sandbox's user namespace");
    }
    if (os::IdSpace::current().kind() != os::IdSpace::Kind::single) {
      std::ignore = ::setgroups(0, nullptr);
    }
    if (::setresgid(0, 0, 0) < 0 || ::setresuid(0, 0, 0) < 0 || ::unshare(CLONE_NEWPID) < 0) {
      throw Error::from_errno(errno, "make a pid namespace for pasta");
    }
    const pid_t keeper = ::fork();
    if (keeper < 0) {
      throw Error::from_errno(errno, "fork");
    }
    if (keeper == 0) {
      keep_pasta(sandbox, tether, report);
    }
  } catch (const Error& error) {
    os::write_all(report, to_json(error).dump());
    ::_exit(1);
  }
  ::_exit(0);
}

} // namespace

os::Fd start_egress(pid_t sandbox) {
  if (!os::find_program("pasta")) {
    throw Error(
        ErrorCode::unavailable,
        "network access from a sandbox needs the program 'pasta', which is not installed")
        .with_hint("apt install passt, or declare `network: {egress: none}` and `egress: none` on the steps");
  }
  auto tether = os::make_pipe();
  auto report = os::make_pipe();
  const pid_t pid = ::fork();
  if (pid < 0) {
    throw Error::from_errno(errno, "fork");
  }
  if (pid == 0) {
    const auto far_tether = os::duplicate(tether.read_end.get(), 100);
    const auto far_report = os::duplicate(report.write_end.get(), 100);
    enter_and_fork(sandbox, far_tether.get(), far_report.get());
  }
  os::Child child(pid);
  tether.read_end.reset();
  report.write_end.reset();
  const auto message = os::read_all(report.read_end.get(), 64 << 10);
  std::ignore = child.wait();
  if (message != "ok") {
    throw message.empty()
        ? Error(ErrorCode::failed, "the helper that starts pasta ended without an answer")
        : error_from_json(parse_json(message, "the answer of the helper that starts pasta"));
  }
  return std::move(tether.write_end);
}

} // namespace pyro::backend::namespaces
