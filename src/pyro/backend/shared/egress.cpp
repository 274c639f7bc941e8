#include "egress.hpp"

#include "egress_guard.hpp"
#include "guest_description.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/json_access.hpp>
#include <pyro/os/id_space.hpp>
#include <pyro/os/mount.hpp>
#include <pyro/os/process.hpp>

#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <grp.h>
#include <optional>
#include <sched.h>
#include <unistd.h>

namespace pyro::backend {

namespace {

/// /dev/net/tun gives no power over any network but one's own, and udev makes it 0666; where it is not (a
/// machine without udev) root makes one that pasta, which is nobody, can open. Seen by this process and its
/// children only.
void show_tun_device() {
  if (::unshare(CLONE_NEWNS) < 0) {
    throw Error::from_errno(errno, "unshare(CLONE_NEWNS)");
  }
  os::make_all_mounts_private();
  const auto directory =
      os::make_mount("tmpfs", {{"mode", "0755"}, {"size", "16k"}}, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
  if (::mknodat(directory.get(), "tun", S_IFCHR | 0666, ::makedev(10, 200)) < 0
      || ::fchmodat(directory.get(), "tun", 0666, 0) < 0) {
    throw Error::from_errno(errno, "make a tun device");
  }
  os::attach_mount(directory.get(), "/dev/net");
}

constexpr const char* k_netns_path = "/tmp/netns";

/// pasta wants its target by path, and what lies below /proc of a process that changed its ids is not open to
/// it: the descriptor becomes a file in a mount namespace of pasta's own.
void show_network_namespace(int network_namespace) {
  os::make_all_mounts_private();
  const auto directory =
      os::make_mount("tmpfs", {{"mode", "0755"}, {"uid", "0"}, {"gid", "0"}, {"size", "16k"}}, 0);
  os::attach_mount(directory.get(), "/tmp");
  os::open_file(k_netns_path, O_CREAT | O_EXCL | O_WRONLY, 0444).reset();
  os::mount_at(fmt::format("/proc/self/fd/{}", network_namespace), k_netns_path, "", MS_BIND, "");
}

void start_pasta() {
  os::Command pasta{
      {"pasta", "--config-net", "--quiet", "--netns-only", "--netns", k_netns_path, "--runas", "0:0",
       "--no-map-gw", "-t", "none", "-u", "none", "-T", "none", "-U", "none"}};
  for (const auto& address : resolver_for_sandbox(resolver_configuration()).forwarded) {
    pasta.argv.insert(pasta.argv.end(), {"--dns-forward", address});
  }
  // pasta goes to the background once the network is there, which is how we know.
  const auto captured = os::run(std::move(pasta), {}, std::chrono::seconds(20), 64 << 10);
  if (!captured.outcome.ok()) {
    throw Error(
        ErrorCode::unavailable, "pasta could not connect the sandbox to the network: {}",
        captured.err.empty() ? to_string(captured.outcome) : captured.err)
        .with_hint(
            ::access("/dev/net/tun", R_OK | W_OK) == 0 ? ""
                                                       : "/dev/net/tun is not open to this user; as root: "
                                                         "chmod 0666 /dev/net/tun (udev does so by itself)");
  }
}

/// pid 1 of pasta's namespace: starts it, keeps it off this machine, tells how that went, and goes on keeping
/// it off until the supervisor's end of the pipe closes.
[[noreturn]] void keep_pasta(int network_namespace, int tether, int report) {
  std::optional<EgressGuard> guard;
  std::string message = "ok";
  try {
    ::prctl(PR_SET_NAME, "pyro-egress");
    show_network_namespace(network_namespace);
    guard.emplace();
    start_pasta();
    guard->enter(network_namespace);
  } catch (const Error& error) {
    message = to_json(error).dump();
  }
  try {
    os::write_all(report, message);
    ::close(report);
    guard.value().follow(tether);
  } catch (const std::exception&) {
    // Without its guard there is no way out any more, which is noticed inside.
  }
  ::_exit(0); // the kernel kills the whole pid namespace
}

/// Joins the sandbox's user namespace and makes the pid namespace; ends at once, its child stays.
[[noreturn]] void enter_and_fork(const std::array<int, 4>& inherited) {
  constexpr int k_tether = 3;
  constexpr int k_report = 4;
  constexpr int k_user_namespace = 5;
  constexpr int k_network_namespace = 6;
  try {
    // The keeper must hold nothing of the supervisor: an open agent channel would outlive it.
    const auto nowhere = os::open_file("/dev/null", O_RDWR);
    for (const int number : {0, 1, 2}) {
      if (::dup2(nowhere.get(), number) < 0) {
        throw Error::from_errno(errno, "dup2");
      }
    }
    for (std::size_t index = 0; index < inherited.size(); ++index) {
      if (::dup2(inherited[index], k_tether + static_cast<int>(index)) < 0) {
        throw Error::from_errno(errno, "dup2");
      }
    }
    if (::syscall(SYS_close_range, 7U, ~0U, 0U) < 0) {
      throw Error::from_errno(errno, "close the supervisor's descriptors");
    }
    if (os::IdSpace::current().kind() == os::IdSpace::Kind::shifted) {
      show_tun_device();
    }
    const os::Fd user_namespace(k_user_namespace);
    become_root_of(user_namespace);
    if (::unshare(CLONE_NEWPID | CLONE_NEWNS) < 0) {
      throw Error::from_errno(errno, "make a pid namespace for pasta");
    }
    const pid_t keeper = ::fork();
    if (keeper < 0) {
      throw Error::from_errno(errno, "fork");
    }
    if (keeper == 0) {
      keep_pasta(k_network_namespace, k_tether, k_report);
    }
  } catch (const Error& error) {
    os::write_all(k_report, to_json(error).dump());
    ::_exit(1);
  }
  ::_exit(0);
}

} // namespace

SandboxNamespaces open_namespaces(pid_t sandbox) {
  return {
      os::open_file(fmt::format("/proc/{}/ns/user", sandbox), O_RDONLY),
      os::open_file(fmt::format("/proc/{}/ns/net", sandbox), O_RDONLY)};
}

void become_root_of(const os::Fd& user_namespace) {
  const auto kind = os::IdSpace::current().kind(); // inside it would look like root's
  if (::setns(user_namespace.get(), CLONE_NEWUSER) < 0) {
    throw Error::from_errno(errno, "join the sandbox's user namespace");
  }
  if (kind != os::IdSpace::Kind::single) {
    std::ignore = ::setgroups(0, nullptr);
  }
  if (::setresgid(0, 0, 0) < 0 || ::setresuid(0, 0, 0) < 0) {
    throw Error::from_errno(errno, "become root of the sandbox's user namespace");
  }
}

os::Fd start_egress(const SandboxNamespaces& namespaces) {
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
    // Out of the way of the numbers they get.
    const auto far_tether = os::duplicate(tether.read_end.get(), 100);
    const auto far_report = os::duplicate(report.write_end.get(), 100);
    const auto far_user = os::duplicate(namespaces.user.get(), 100);
    const auto far_network = os::duplicate(namespaces.network.get(), 100);
    enter_and_fork({far_tether.get(), far_report.get(), far_user.get(), far_network.get()});
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

} // namespace pyro::backend
