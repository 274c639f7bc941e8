#include "launcher.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/unix_socket.hpp>

#include <sys/prctl.h>
#include <sys/wait.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <fcntl.h>
#include <unistd.h>

namespace pyro::backend::host {

namespace {

constexpr int k_channel = 3; // of the agent
constexpr int k_rounds = 1000;

std::vector<pid_t> our_children() {
  const auto text =
      os::maybe_read_file(fmt::format("/proc/self/task/{}/children", ::getpid()), 1 << 20).value_or("");
  std::vector<pid_t> children;
  const char* at = text.data();
  const char* end = at + text.size();
  while (at < end) {
    pid_t pid = 0;
    const auto [next, error] = std::from_chars(at, end, pid);
    if (error == std::errc{}) {
      children.push_back(pid);
    }
    at = next + 1;
  }
  return children;
}

std::vector<std::string> shortcomings(const std::string& directory) {
  return {
      "no isolation: commands are processes of this machine, with the rights of who runs pyro",
      fmt::format("/workspace is {} and cannot be reached as /workspace", directory),
      "the network of this machine is open to commands",
      "snapshot, diff and reset know /workspace alone: packages, /tmp and whatever else stay as they are"};
}

} // namespace

std::string workspace_directory(const LaunchSpec& spec) {
  return spec.generation_dir + "/root/upper/workspace";
}

Processes launch(const LaunchSpec& spec) {
  if (!spec.binds.empty() || !spec.live_mounts.empty()) {
    throw Error(ErrorCode::unavailable, "backend 'host' cannot show directories in other places");
  }
  // Orphans become our children even when the agent is killed.
  if (::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0) {
    throw Error::from_errno(errno, "become a subreaper");
  }
  const auto directory = workspace_directory(spec);
  if (!os::is_directory(directory)) {
    throw Error(ErrorCode::internal, "there is no {}", directory);
  }
  Processes processes;
  processes.cgroup = std::make_unique<os::Cgroup>(
      spec.cgroup_name, os::CgroupLimits{spec.limits.cpus, spec.limits.memory_bytes, spec.limits.pids});
  auto [channel, agent_channel] = os::socket_pair();
  const auto nothing = os::open_file("/dev/null", O_RDWR);
  os::Command command{
      {spec.agent_path, "--channel-fd", std::to_string(k_channel), "--secrets-dir",
       spec.runtime_dir + "/secrets", "--workspace-dir", directory}};
  command.env = std::map<std::string, std::string>{};
  command.new_session = true;
  command.fds = {
      {0, nothing.get()}, {1, nothing.get()}, {2, STDERR_FILENO}, {k_channel, agent_channel.get()}};
  processes.agent = os::spawn(command);
  agent_channel.reset();
  processes.cgroup->add(processes.agent.pid(), false);
  processes.channel = std::move(channel);
  processes.notes = shortcomings(directory);
  const auto& limits_notes = processes.cgroup->notes();
  processes.notes.insert(processes.notes.end(), limits_notes.begin(), limits_notes.end());
  return processes;
}

void kill_orphans() {
  for (int round = 0; round < k_rounds; ++round) {
    const auto children = our_children();
    if (children.empty()) {
      return;
    }
    for (const auto pid : children) {
      ::kill(pid, SIGKILL);
    }
    for (const auto pid : children) {
      ::waitpid(pid, nullptr, 0); // its children are ours from here on
    }
  }
}

} // namespace pyro::backend::host
