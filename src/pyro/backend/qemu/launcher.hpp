// Starts the virtual machine of a workspace: cloned from a template where there is one or one can be made,
// booted otherwise. Called only in the supervisor.
#pragma once

#include "qmp.hpp"

#include <pyro/backend/launch_spec.hpp>
#include <pyro/backend/shared/way_out.hpp>
#include <pyro/base/sha256.hpp>
#include <pyro/os/cgroup.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/os/process.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pyro::backend::qemu {

/// A running machine whose agent is about to begin its session. Destroying it kills it.
struct VirtualSandbox {
  std::unique_ptr<os::Cgroup> cgroup; // declared first: removed last
  os::Child process;                  // QEMU
  WayOut way_out;
  os::Fd channel; // to the agent
  os::Fd console; // what the kernel says
  std::optional<Qmp> monitor;
  os::Fd base_memory; // of what it was cloned from; none where it was booted
  HexDigest kept_key; // what a guest saved here is sealed with
  std::vector<std::string> notes;
  Json timings = Json::object(); // step → microseconds since the start
};

VirtualSandbox launch(const LaunchSpec& spec);

/// Writes the machine down with everything that runs in it, for LaunchSpec::machine.saved, while its guest
/// waits for the host. Only for one that was cloned. Where it fails, what is in `directory` is not sealed.
void keep(VirtualSandbox& sandbox, const LaunchSpec& spec, const std::string& directory);

} // namespace pyro::backend::qemu
