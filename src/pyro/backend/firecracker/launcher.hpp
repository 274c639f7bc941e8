// Starts a machine: Firecracker in its jail (root) or beside us (an ordinary user), configured, started, and
// connected to the agent's port. Called only in the supervisor, which is single-threaded and does nothing
// else.
#pragma once

#include "api_client.hpp"
#include "jail.hpp"
#include "machine_requests.hpp"
#include "tap_manager.hpp"

#include <pyro/os/cgroup.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/os/process.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pyro::backend::firecracker {

/// The port at which a guest's agent listens; the kernel's command line tells it.
inline constexpr std::uint32_t k_agent_port = 1024;

struct MachineLaunch {
  std::string name;      // unique per start; names the control group and the jail
  std::string directory; // private and there: sockets, the jail's mount point
  std::string firecracker;
  std::string jailer;         // used as root
  MachineDescription machine; // paths of this machine; vsock and network are filled in
  std::optional<NetworkConfig> network;
  os::CgroupLimits limits;
  std::chrono::milliseconds boot_limit{60'000};
};

/// The sockets that Firecracker makes and, when it is killed, leaves.
class SocketFiles {
public:
  explicit SocketFiles(std::vector<std::string> paths) : m_paths(std::move(paths)) {}

  ~SocketFiles();
  SocketFiles(const SocketFiles&) = delete;
  SocketFiles& operator=(const SocketFiles&) = delete;

  void remove() const;

private:
  std::vector<std::string> m_paths;
};

/// A running machine. Destroying it kills it and removes its device, its jail and its control groups.
struct Machine {
  std::unique_ptr<os::Cgroup> cgroup; // declared first: removed last, when the processes are gone
  std::optional<Tap> tap;
  std::unique_ptr<Jail> jail;           // as root
  std::unique_ptr<SocketFiles> sockets; // as an ordinary user
  os::Child process;                    // with its end the machine's processes end
  std::unique_ptr<ApiClient> api;
  os::Fd channel; // byte stream to the agent's port
  std::vector<std::string> notes;
  Json timings = Json::object(); // step → microseconds since the start
};

/// Throws with what went wrong; nothing is left then.
Machine launch(const MachineLaunch& request);

/// What the kernel is told so that it boots quickly, ends when it panics, and finds the agent's port.
std::string boot_arguments();

} // namespace pyro::backend::firecracker
