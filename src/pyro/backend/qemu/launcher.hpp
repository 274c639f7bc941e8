// Starts the virtual machine of a workspace: cloned from a template where there is one or one can be made,
// booted otherwise. Called only in the supervisor.
#pragma once

#include <pyro/backend/launch_spec.hpp>
#include <pyro/os/cgroup.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/os/process.hpp>

#include <memory>
#include <string>
#include <vector>

namespace pyro::backend::qemu {

/// A running machine whose agent is about to begin its session. Destroying it kills it.
struct VirtualSandbox {
  std::unique_ptr<os::Cgroup> cgroup; // declared first: removed last
  os::Child process;                  // QEMU
  os::Fd egress_tether;
  os::Fd channel; // to the agent
  os::Fd console; // what the kernel says
  std::vector<std::string> notes;
  Json timings = Json::object(); // step → microseconds since the start
};

VirtualSandbox launch(const LaunchSpec& spec);

} // namespace pyro::backend::qemu
