#include "launcher.hpp"

#include "live_mounts.hpp"
#include "sandbox_init.hpp"
#include "sandbox_root.hpp"

#include <pyro/backend/shared/child_steps.hpp>
#include <pyro/backend/shared/clone_process.hpp>
#include <pyro/backend/shared/stopwatch.hpp>
#include <pyro/base/error.hpp>
#include <pyro/base/text.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/id_space.hpp>
#include <pyro/os/mount.hpp>
#include <pyro/os/unix_socket.hpp>

#include <linux/sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <csignal>
#include <fcntl.h>
#include <unistd.h>

namespace pyro::backend::namespaces {

namespace {

/// Mounts with the sandbox's ids; only root can make them. nullopt-like empty Fds: plain paths serve instead.
MappedMounts map_mounts(const LaunchSpec& spec, const os::IdSpace& space, pid_t child) {
  MappedMounts mapped;
  if (space.kind() != os::IdSpace::Kind::shifted) {
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
  for (const auto& mount : spec.live_mounts) {
    mapped.live.push_back(map_live_mount(mount, space));
  }
  return mapped;
}

/// Above whatever we have ourselves: when memory is exhausted, what runs in a sandbox ends before the agent,
/// and before this machine's own processes.
int oom_score_of_processes() {
  constexpr int k_more = 200;
  constexpr int k_most = 1000; // OOM_SCORE_ADJ_MAX
  const auto own = os::read_file("/proc/self/oom_score_adj");
  return std::min(std::atoi(own.c_str()) + k_more, k_most);
}

/// The kernel never ends the agent for want of memory, where we may ask for that: as root. By the old file
/// (proc(5), oom_adj: -17 is never): a privileged write to the new one would also lower the least value that
/// the processes of the sandbox may give themselves.
void spare_agent(pid_t agent) {
  const os::Fd file(::open(fmt::format("/proc/{}/oom_adj", agent).c_str(), O_WRONLY | O_CLOEXEC));
  if (file) {
    std::ignore = ::write(file.get(), "-17", 3); // EACCES for ordinary users: its processes are raised
  }
}

/// Waits for the child to execute the agent (its end of the socket closes) or to report why it could not.
/// Returns its notes.
std::vector<std::string> expect_success(int socket) {
  const auto text = report_of_child(socket);
  std::vector<std::string> notes;
  for (const auto line : lines_of(text)) {
    const auto report = parse_json(line, "the report of the sandbox's first process");
    if (!report.contains("notes")) {
      throw error_from_json(report);
    }
    notes = get_strings(report, "notes");
  }
  return notes;
}

} // namespace

Sandbox launch(const LaunchSpec& spec) {
  // Found out here: inside the new user namespace it would look like root's.
  std::ignore = os::IdSpace::current();
  Sandbox sandbox;
  Stopwatch watch(sandbox.timings);
  os::make_directories(spec.generation_dir);
  os::make_directories(spec.runtime_dir + "/root");
  sandbox.ids = std::make_unique<os::SandboxIds>(spec.limits.pids);
  sandbox.cgroup = std::make_unique<os::Cgroup>(
      spec.cgroup_name, os::CgroupLimits{spec.limits.cpus, spec.limits.memory_bytes, spec.limits.pids});
  auto [channel, agent_channel] = os::socket_pair();
  auto [control, child_control] = os::socket_pair();
  FromOutside outside;
  outside.memory_events = sandbox.cgroup->open_memory_events();
  outside.oom_score = oom_score_of_processes();
  outside.resolv_conf = resolv_conf_inside(spec);
  watch.lap("prepared");

  constexpr std::uint64_t k_namespaces =
      CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;
  bool cloned_into_unified = false;
  const pid_t pid = sandbox.ids->count_for_it(
      [&] { return clone_process(k_namespaces, sandbox.cgroup->clone_fd(), cloned_into_unified); });
  if (pid == 0) {
    control.reset();
    channel.reset();
    run_sandbox_init(spec, outside, std::move(child_control), std::move(agent_channel));
  }
  sandbox.agent = os::Child(pid);
  child_control.reset();
  agent_channel.reset();
  watch.lap("cloned");

  auto namespaces = spec.egress ? open_namespaces(pid) : SandboxNamespaces{};
  sandbox.ids->space().map_process(pid);
  const auto mapped = map_mounts(spec, sandbox.ids->space(), pid);
  std::vector<int> fds;
  for (const auto* mount : {&mapped.layers, &mapped.generation}) {
    if (*mount) {
      fds.push_back(mount->get());
    }
  }
  for (const auto* mounts : {&mapped.host_dirs, &mapped.binds, &mapped.live}) {
    for (const auto& mount : *mounts) {
      fds.push_back(mount.get());
    }
  }
  let_go_on(control.get(), fds);
  watch.lap("mapped");
  // While it makes its root: where control groups are of version 1, the kernel takes milliseconds for a move.
  sandbox.cgroup->add(pid, cloned_into_unified);
  spare_agent(pid);
  watch.lap("counted");
  if (spec.egress) {
    sandbox.way_out = open_way_out(std::move(namespaces), spec);
    watch.lap("egress");
  }
  let_go_on(control.get());
  sandbox.notes = expect_success(control.get());
  watch.lap("agent_executed");
  sandbox.channel = std::move(channel);
  const auto& limits_notes = sandbox.cgroup->notes();
  sandbox.notes.insert(sandbox.notes.end(), limits_notes.begin(), limits_notes.end());
  return sandbox;
}

} // namespace pyro::backend::namespaces
