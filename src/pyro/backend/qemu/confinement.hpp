// QEMU as a process that can do little even when a guest has taken it over: no file but its own, no network,
// no process to see, no capability, ids of a user namespace.
#pragma once

#include <pyro/backend/shared/way_out.hpp>
#include <pyro/os/cgroup.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/os/process.hpp>

#include <string>
#include <vector>

namespace pyro::backend::qemu {

/// A file of this machine that QEMU sees as `seen`.
struct SharedFile {
  std::string path;
  std::string seen; // absolute
  bool writable = false;
};

struct ConfinedCommand {
  std::string program;
  std::vector<std::string> arguments;
  os::FdMap fds; // numbers from 3 on; 0, 1 are /dev/null, 2 is ours
  std::vector<SharedFile> files;
  std::string staging;                 // an empty directory to build its root on
  bool kvm = false;                    // shows /dev/kvm
  const LaunchSpec* network = nullptr; // whose way out its network namespace gets; nullptr: none
};

struct Confined {
  os::Child process;
  WayOut way_out;
};

/// Throws with the failure of the child, which travels back. The process dies with the caller.
Confined start_confined(const ConfinedCommand& command, os::Cgroup& cgroup);

/// Gives a file to the id that QEMU runs as.
void give_to_confined(int fd);

} // namespace pyro::backend::qemu
