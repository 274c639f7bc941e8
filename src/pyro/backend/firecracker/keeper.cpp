#include "keeper.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/json_access.hpp>

#include <linux/sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

namespace pyro::backend::firecracker {

namespace {

os::Command command_for(const std::vector<std::string>& argv, int nothing) {
  os::Command command{argv};
  command.env = std::map<std::string, std::string>{};
  // The guest's serial console comes out of standard output, as much of it as the guest likes.
  command.fds = {{0, nothing}, {1, nothing}, {2, STDERR_FILENO}};
  return command;
}

bool is_hung_up(int pipe) {
  pollfd waiting{pipe, 0, 0};
  return ::poll(&waiting, 1, 0) > 0 && (waiting.revents & (POLLHUP | POLLERR)) != 0;
}

/// The first process of the pid namespace. `tether` hangs up when the one who started us is gone.
[[noreturn]] void keep(const std::vector<std::string>& argv, int tether, int report) {
  int status = 125;
  try {
    ::prctl(PR_SET_NAME, "pyro-firecracker");
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (is_hung_up(tether)) {
      ::_exit(status); // it died before it could be noticed
    }
    if (::dup2(report, 3) < 0 || ::syscall(SYS_close_range, 4U, ~0U, 0U) < 0) {
      throw Error::from_errno(errno, "close what belongs to the supervisor");
    }
    os::set_cloexec(3, true);
    const auto nothing = os::open_file("/dev/null", O_RDWR);
    // The one who started the supervisor waits for its end of these.
    if (::dup2(nothing.get(), STDIN_FILENO) < 0 || ::dup2(nothing.get(), STDOUT_FILENO) < 0) {
      throw Error::from_errno(errno, "dup2");
    }
    auto child = os::spawn(command_for(argv, nothing.get()));
    ::close(3); // says that all is well
    const auto outcome = child.wait();
    status = outcome.shell_status();
  } catch (const Error& error) {
    os::write_all(3, to_json(error).dump());
  }
  ::_exit(status);
}

} // namespace

os::Child start_kept(const std::vector<std::string>& argv, HostNetwork network) {
  auto tether = os::make_pipe();
  auto report = os::make_pipe();
  clone_args arguments{};
  arguments.flags = CLONE_NEWPID | (network == HostNetwork::taken_away ? CLONE_NEWNET : 0);
  arguments.exit_signal = SIGCHLD;
  const auto pid = static_cast<pid_t>(::syscall(SYS_clone3, &arguments, sizeof(arguments)));
  if (pid < 0) {
    throw Error::from_errno(errno, "clone3 into a pid namespace");
  }
  if (pid == 0) {
    tether.write_end.reset();
    keep(argv, tether.read_end.get(), report.write_end.get());
  }
  os::Child child(pid);
  report.write_end.reset();
  const auto text = os::read_all(report.read_end.get(), 64 << 10);
  if (!text.empty()) {
    throw error_from_json(parse_json(text, "the report of Firecracker's keeper"));
  }
  return child;
}

os::Child start_tied(const std::vector<std::string>& argv, const std::string& directory) {
  const auto nothing = os::open_file("/dev/null", O_RDWR);
  auto command = command_for(argv, nothing.get());
  command.cwd = directory;
  command.die_with_parent = true;
  return os::spawn(command);
}

} // namespace pyro::backend::firecracker
