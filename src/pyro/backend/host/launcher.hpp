// Starts the agent as an ordinary process of this machine. Called only in the supervisor.
#pragma once

#include <pyro/backend/launch_spec.hpp>
#include <pyro/os/cgroup.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/os/process.hpp>

#include <memory>
#include <string>
#include <vector>

namespace pyro::backend::host {

/// Destroying it kills the agent and removes the control groups.
struct Processes {
  std::unique_ptr<os::Cgroup> cgroup; // declared first: removed last
  os::Child agent;
  os::Fd channel;
  std::vector<std::string> notes; // what does not hold here
};

/// What /workspace stands for: the upper directory, complete by itself, of the writable layer.
std::string workspace_directory(const LaunchSpec& spec);

Processes launch(const LaunchSpec& spec);

/// Kills whatever the agent left when it was killed itself: it is ours then.
void kill_orphans();

} // namespace pyro::backend::host
