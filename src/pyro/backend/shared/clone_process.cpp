#include "clone_process.hpp"

#include <pyro/base/error.hpp>

#include <linux/sched.h>
#include <sys/syscall.h>

#include <cerrno>
#include <csignal>
#include <unistd.h>

namespace pyro::backend {

namespace {

pid_t try_clone(std::uint64_t namespaces, int cgroup) {
  clone_args arguments{};
  arguments.flags = namespaces;
  arguments.exit_signal = SIGCHLD;
  if (cgroup >= 0) {
    arguments.flags |= CLONE_INTO_CGROUP;
    arguments.cgroup = static_cast<std::uint64_t>(cgroup);
  }
  return static_cast<pid_t>(::syscall(SYS_clone3, &arguments, sizeof(arguments)));
}

} // namespace

pid_t clone_process(std::uint64_t namespaces, int cgroup, bool& into_cgroup) {
  into_cgroup = cgroup >= 0;
  pid_t pid = try_clone(namespaces, cgroup);
  if (pid < 0 && into_cgroup) {
    into_cgroup = false; // some delegations allow a group but not this way into it
    pid = try_clone(namespaces, -1);
  }
  if (pid < 0) {
    throw Error::from_errno(errno, "clone3 into new namespaces")
        .with_hint("`pyro doctor` tells what this machine lacks for sandboxes");
  }
  return pid;
}

} // namespace pyro::backend
