#include "sandbox_init.hpp"

#include "hardening.hpp"
#include "live_mounts.hpp"
#include "sandbox_root.hpp"

#include <pyro/backend/shared/child_steps.hpp>
#include <pyro/base/error.hpp>
#include <pyro/os/hosts_file.hpp>
#include <pyro/os/id_space.hpp>
#include <pyro/os/mount.hpp>
#include <pyro/os/network.hpp>
#include <pyro/os/unix_socket.hpp>

#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <grp.h>
#include <limits>
#include <sched.h>
#include <unistd.h>

namespace pyro::backend::namespaces {

namespace {

constexpr int k_channel_number = 3;
constexpr int k_memory_events_number = 4; // /dev/null where there is nothing to count

/// A line, as its notes are.
void report(int socket, const Error& error) {
  os::send_with_fds(socket, to_json(error).dump() + "\n", {});
}

std::vector<os::Fd> next_step(const os::Fd& control) {
  auto fds = await_step(control.get());
  if (!fds) {
    ::_exit(1); // the supervisor is gone
  }
  return std::move(*fds);
}

MappedMounts receive_mounts(const os::Fd& control, const LaunchSpec& spec) {
  auto mounts = next_step(control);
  MappedMounts mapped;
  if (!mounts.empty()) {
    const auto first_bind = 2 + spec.root.host_dirs.size();
    const auto first_live = first_bind + spec.binds.size();
    if (mounts.size() != first_live + spec.live_mounts.size()) {
      throw Error(ErrorCode::internal, "{} mounts were handed over", mounts.size());
    }
    mapped.layers = std::move(mounts[0]);
    mapped.generation = std::move(mounts[1]);
    for (std::size_t index = 2; index < mounts.size(); ++index) {
      auto& kind = index < first_bind ? mapped.host_dirs : index < first_live ? mapped.binds : mapped.live;
      kind.push_back(std::move(mounts[index]));
    }
  }
  return mapped;
}

std::uint64_t open_files_of_machine() {
  const auto text = os::maybe_read_file("/proc/sys/fs/file-max", 64);
  const auto value = text ? std::strtoull(text->c_str(), nullptr, 10) : 0;
  return value > 0 ? value : std::numeric_limits<std::uint64_t>::max();
}

void become_inside_root() {
  if (os::IdSpace::current().kind() != os::IdSpace::Kind::single && ::setgroups(0, nullptr) < 0) {
    throw Error::from_errno(errno, "setgroups");
  }
  if (::setresgid(0, 0, 0) < 0 || ::setresuid(0, 0, 0) < 0) {
    throw Error::from_errno(errno, "become root of the user namespace");
  }
}

/// The sandbox ends with its supervisor, whatever kills it. The change of ids has cleared an earlier request.
void die_with_supervisor(const os::Fd& control) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  // Had the supervisor died before that request, its end of the socket would be closed.
  std::array<char, 1> nothing{};
  const auto got = ::recv(control.get(), nothing.data(), nothing.size(), MSG_DONTWAIT | MSG_PEEK);
  if (got == 0) {
    ::_exit(1);
  }
}

/// The agent is executed from a read-only mount that is attached nowhere: nothing inside can write to it by
/// any name (CVE-2019-5736), not even through /proc/1/exe.
os::Fd open_agent(const std::string& path) {
  auto mount = os::clone_mount(AT_FDCWD, path);
  os::set_mount_attributes(mount.get(), MOUNT_ATTR_RDONLY);
  return mount;
}

[[noreturn]] void execute_agent(
    const LaunchSpec& spec, const FromOutside& outside, const os::Fd& agent, os::Fd& channel, os::Fd& control,
    const std::vector<std::string>& notes) {
  // The supervisor's standard streams stay outside.
  const auto nowhere = os::open_file("/dev/null", O_RDWR);
  for (const int number : {0, 1, 2}) {
    if (::dup2(nowhere.get(), number) < 0) {
      throw Error::from_errno(errno, "dup2");
    }
  }
  // Channel on 3, the count of memory kills, the report socket and the agent just above it (the last two
  // close on exec), nothing else.
  const auto agent_copy = os::duplicate(agent.get(), 100);
  const auto control_copy = os::duplicate(control.get(), 101);
  const auto channel_copy = os::duplicate(channel.get(), 102);
  const auto events_copy = os::duplicate(outside.memory_events ? outside.memory_events.get() : 0, 103);
  if (::dup2(channel_copy.get(), k_channel_number) < 0
      || ::dup2(events_copy.get(), k_memory_events_number) < 0) {
    throw Error::from_errno(errno, "dup2");
  }
  const int control_number = ::dup3(control_copy.get(), 5, O_CLOEXEC);
  const int agent_number = ::dup3(agent_copy.get(), 6, O_CLOEXEC);
  if (control_number < 0 || agent_number < 0 || ::syscall(SYS_close_range, 7U, ~0U, 0U) < 0) {
    throw Error::from_errno(errno, "close what is not needed");
  }
  if (!notes.empty()) {
    os::send_with_fds(control_number, Json{{"notes", notes}}.dump() + "\n", {});
  }
  const auto limit = std::to_string(spec.limits.memory_bytes);
  const auto oom_score = std::to_string(outside.oom_score);
  std::array<const char*, 10> argv{
      "pyro-agent",
      "--channel-fd",
      "3",
      "--memory-events-fd",
      "4",
      "--memory-limit",
      limit.c_str(),
      "--oom-score-of-children",
      oom_score.c_str(),
      nullptr};
  std::array<const char*, 1> env{nullptr};
  ::execveat(
      agent_number, "", const_cast<char**>(argv.data()), const_cast<char**>(env.data()), AT_EMPTY_PATH);
  report(control_number, Error::from_errno(errno, "execute the agent"));
  ::_exit(1);
}

/// The name that the sandbox has then: the seccomp filter of a container may refuse another than its own.
std::string take_hostname(const std::string& wanted, std::vector<std::string>& notes) {
  if (::sethostname(wanted.data(), wanted.size()) == 0) {
    return wanted;
  }
  if (errno != EPERM) {
    throw Error::from_errno(errno, "sethostname");
  }
  utsname names{};
  ::uname(&names);
  notes.push_back(fmt::format(
      "the host name inside is {}: the seccomp filter that pyro runs under refuses sethostname(2)",
      names.nodename));
  return names.nodename;
}

void init(const LaunchSpec& spec, const FromOutside& outside, os::Fd& control, os::Fd& channel) {
  auto mapped = receive_mounts(control, spec);
  enter_staging(spec);
  if (!mapped.layers) { // an ordinary user
    mapped.live = open_live_mounts(spec);
  }
  const auto agent = open_agent(spec.agent_path);
  become_inside_root();
  die_with_supervisor(control);
  std::vector<std::string> notes;
  auto hostname = take_hostname(spec.hostname, notes);
  if (spec.hostname == os::k_step_hostname) {
    hostname = spec.hostname; // its /etc/hosts is left alone, whatever it is called
  }
  os::bring_up_loopback();
  const auto file_max = open_files_of_machine();
  for (auto& note : enter_sandbox_root(spec, mapped, outside.resolv_conf, hostname)) {
    notes.push_back(std::move(note));
  }
  // Until it is in its control groups and has its way out nothing of the workspace may run.
  std::ignore = next_step(control);
  if (::unshare(CLONE_NEWCGROUP) < 0) {
    throw Error::from_errno(errno, "unshare(CLONE_NEWCGROUP)");
  }
  ::umask(022);
  set_resource_limits(spec.limits.pids, file_max);
  drop_capabilities();
  enter_seccomp();
  execute_agent(spec, outside, agent, channel, control, notes);
}

} // namespace

void run_sandbox_init(const LaunchSpec& spec, const FromOutside& outside, os::Fd control, os::Fd channel) {
  try {
    init(spec, outside, control, channel);
  } catch (const Error& error) {
    report(control.get(), error);
  } catch (const std::exception& error) {
    report(control.get(), Error(ErrorCode::internal, "{}", error.what()));
  }
  ::_exit(1);
}

} // namespace pyro::backend::namespaces
