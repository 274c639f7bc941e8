#include "guarded_network.hpp"

#include "egress_guard.hpp"
#include "guest_description.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/json_access.hpp>
#include <pyro/os/atomic_file.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/id_space.hpp>
#include <pyro/os/network.hpp>
#include <pyro/os/process.hpp>

#include <sys/prctl.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <sched.h>
#include <unistd.h>

namespace pyro::backend {

namespace {

/// Makes the namespaces, says so and holds them until it is let go of.
[[noreturn]] void hold_namespaces(os::Fd report, const os::Fd& let_go) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  try {
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0) {
      throw Error(
          ErrorCode::unavailable, "this machine allows no namespaces of users and networks: {}",
          Error::from_errno(errno, "unshare").message());
    }
    os::bring_up_loopback();
    os::write_all(report.get(), "ok");
  } catch (const Error& error) {
    try {
      os::write_all(report.get(), to_json(error).dump());
    } catch (const Error&) {
      ::_exit(1); // nobody reads any more
    }
  }
  report.reset();
  std::array<char, 1> nothing{};
  try {
    std::ignore = os::read_some(let_go.get(), nothing);
  } catch (const Error&) {
    ::_exit(1);
  }
  ::_exit(0);
}

} // namespace

GuardedNetwork::GuardedNetwork() {
  if (!os::find_program("pasta")) {
    throw Error(ErrorCode::unavailable, "the program 'pasta' is not installed")
        .with_hint("apt install passt");
  }
  std::ignore = os::IdSpace::current(); // found out here: in the new namespace it would look like root's
  auto report = os::make_pipe();
  auto let_go = os::make_pipe();
  const pid_t pid = ::fork();
  if (pid < 0) {
    throw Error::from_errno(errno, "fork");
  }
  if (pid == 0) {
    report.read_end.reset();
    let_go.write_end.reset();
    hold_namespaces(std::move(report.write_end), let_go.read_end);
  }
  os::Child holder(pid);
  report.write_end.reset();
  let_go.read_end.reset();
  const auto message = os::read_all(report.read_end.get(), 64 << 10);
  if (message != "ok") {
    throw message.empty()
        ? Error(ErrorCode::failed, "the helper that makes namespaces ended without an answer")
        : error_from_json(parse_json(message, "the answer of the helper"));
  }
  m_namespaces = open_namespaces(pid);
  os::IdSpace::current().map_process(pid);
  let_go.write_end.reset();
  std::ignore = holder.wait();
  m_tether = start_egress(m_namespaces);
}

os::Seclusion GuardedNetwork::seclusion(const std::string& directory) const {
  os::Seclusion seclusion;
  seclusion.network_namespace = m_namespaces.network.get();
  if (os::IdSpace::current().kind() != os::IdSpace::Kind::shifted) {
    seclusion.user_namespace = m_namespaces.user.get();
    seclusion.uid_map = fmt::format("{} 0 1", ::geteuid());
    seclusion.gid_map = fmt::format("{} 0 1", ::getegid());
  }
  const auto text = resolver_configuration();
  const auto resolver = resolver_for_sandbox(text);
  if (!resolver.forwarded.empty()) {
    seclusion.resolv_conf = directory + "/resolv.conf";
    os::write_file_atomically(seclusion.resolv_conf, resolver.resolv_conf);
  }
  return seclusion;
}

} // namespace pyro::backend
