#include "launcher.hpp"

#include "egress.hpp"
#include "sandbox_init.hpp"
#include "sandbox_root.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/id_space.hpp>
#include <pyro/os/mount.hpp>
#include <pyro/os/unix_socket.hpp>

#include <linux/sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <unistd.h>

namespace pyro::backend::namespaces {

namespace {

class Stopwatch {
public:
  explicit Stopwatch(Json& timings) : m_timings(timings), m_start(std::chrono::steady_clock::now()) {}

  void lap(const char* step) {
    m_timings[step] =
        std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - m_start)
            .count();
  }

private:
  Json& m_timings;
  std::chrono::steady_clock::time_point m_start;
};

pid_t clone_into_namespaces(int cgroup) {
  clone_args arguments{};
  arguments.flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;
  arguments.exit_signal = SIGCHLD;
  if (cgroup >= 0) {
    arguments.flags |= CLONE_INTO_CGROUP;
    arguments.cgroup = static_cast<std::uint64_t>(cgroup);
  }
  return static_cast<pid_t>(::syscall(SYS_clone3, &arguments, sizeof(arguments)));
}

/// Mounts with the sandbox's ids; only root can make them. nullopt-like empty Fds: plain paths serve instead.
MappedMounts map_mounts(const LaunchSpec& spec, pid_t child) {
  MappedMounts mapped;
  if (os::IdSpace::current().kind() != os::IdSpace::Kind::shifted) {
    return mapped;
  }
  const auto user_namespace = os::open_file(fmt::format("/proc/{}/ns/user", child), O_RDONLY);
  const auto clone = [&](const std::string& path) {
    auto mount = os::clone_mount_idmapped(path, user_namespace.get());
    if (!mount) {
      throw Error(ErrorCode::unavailable, "the file system of {} cannot be mounted with other owners", path)
          .with_hint("put the state directory (PYRO_HOME) on ext4, xfs, btrfs or tmpfs, or run pyro as an "
                     "ordinary user");
    }
    return std::move(*mount);
  };
  mapped.layers = clone(spec.layers_dir);
  mapped.generation = clone(spec.generation_dir);
  for (const auto& directory : spec.root.host_dirs) {
    mapped.host_dirs.push_back(clone("/" + directory));
  }
  for (const auto& bind : spec.binds) {
    mapped.binds.push_back(clone(bind.path));
  }
  return mapped;
}

/// Waits for the child to execute the agent (its end of the socket closes) or to report why it could not.
/// Returns its notes.
std::vector<std::string> expect_success(int socket) {
  const auto text = os::read_all(socket, 64 << 10);
  if (text.empty()) {
    return {};
  }
  const auto report = parse_json(text, "the report of the sandbox's first process");
  if (report.contains("notes")) {
    return get_strings(report, "notes");
  }
  throw error_from_json(report);
}

} // namespace

Sandbox launch(const LaunchSpec& spec) {
  // Found out here: inside the new user namespace it would look like root's.
  std::ignore = os::IdSpace::current();
  Sandbox sandbox;
  Stopwatch watch(sandbox.timings);
  os::make_directories(spec.generation_dir);
  os::make_directories(spec.runtime_dir + "/root");
  sandbox.cgroup = std::make_unique<os::Cgroup>(
      spec.cgroup_name, os::CgroupLimits{spec.limits.cpus, spec.limits.memory_bytes, spec.limits.pids});
  auto [channel, agent_channel] = os::socket_pair();
  auto [control, child_control] = os::socket_pair();
  watch.lap("prepared");

  bool cloned_into_unified = sandbox.cgroup->clone_fd() >= 0;
  pid_t pid = clone_into_namespaces(sandbox.cgroup->clone_fd());
  if (pid < 0 && cloned_into_unified) {
    cloned_into_unified = false; // some delegations allow a group but not this way into it
    pid = clone_into_namespaces(-1);
  }
  if (pid < 0) {
    const int error_number = errno;
    throw Error::from_errno(error_number, "clone3 into new namespaces")
        .with_hint("`pyro doctor` tells what this machine lacks for sandboxes");
  }
  if (pid == 0) {
    control.reset();
    channel.reset();
    run_sandbox_init(spec, std::move(child_control), std::move(agent_channel));
  }
  sandbox.agent = os::Child(pid);
  child_control.reset();
  agent_channel.reset();
  watch.lap("cloned");

  sandbox.cgroup->add(pid, cloned_into_unified);
  const auto namespaces = spec.egress ? open_namespaces(pid) : SandboxNamespaces{};
  os::IdSpace::current().map_process(pid);
  const auto mapped = map_mounts(spec, pid);
  std::vector<int> fds;
  for (const auto* mount : {&mapped.layers, &mapped.generation}) {
    if (*mount) {
      fds.push_back(mount->get());
    }
  }
  for (const auto* mounts : {&mapped.host_dirs, &mapped.binds}) {
    for (const auto& mount : *mounts) {
      fds.push_back(mount.get());
    }
  }
  os::send_with_fds(control.get(), "go", fds);
  watch.lap("mapped");
  if (spec.egress) {
    sandbox.egress_tether = start_egress(namespaces);
    watch.lap("egress");
    os::send_with_fds(control.get(), "net", {});
  }
  sandbox.notes = expect_success(control.get());
  watch.lap("agent_executed");
  sandbox.channel = std::move(channel);
  const auto& limits_notes = sandbox.cgroup->notes();
  sandbox.notes.insert(sandbox.notes.end(), limits_notes.begin(), limits_notes.end());
  return sandbox;
}

} // namespace pyro::backend::namespaces
