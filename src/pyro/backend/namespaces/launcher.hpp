// Starts a sandbox: clone3(2) into new namespaces, ids mapped, root built, privileges dropped, the agent
// executed as pid 1. Called only in the supervisor, which is single-threaded and does nothing else.
#pragma once

#include <pyro/backend/launch_spec.hpp>
#include <pyro/backend/shared/way_out.hpp>
#include <pyro/os/cgroup.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/os/process.hpp>
#include <pyro/os/sandbox_ids.hpp>

#include <memory>
#include <string>
#include <vector>

namespace pyro::backend::namespaces {

/// A running sandbox. Destroying it kills every process inside and removes its control groups.
struct Sandbox {
  std::unique_ptr<os::SandboxIds> ids; // declared first: given back last, when the processes are gone
  std::unique_ptr<os::Cgroup> cgroup;  // removed when the processes are gone
  os::Child agent;                     // pid 1 of the sandbox
  os::Fd channel;                      // byte stream to the agent
  WayOut way_out;
  std::vector<std::string> notes;
  Json timings = Json::object(); // step → microseconds since the start
};

/// Throws with the failure of the child, which travels back; nothing is left then.
Sandbox launch(const LaunchSpec& spec);

} // namespace pyro::backend::namespaces
