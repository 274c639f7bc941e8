// The calls, in order, that make, save and bring back a machine. Pure; tests/unit/backend_firecracker/golden
// holds what comes out.
#pragma once

#include "api_request.hpp"
#include "machine_description.hpp"

#include <optional>
#include <vector>

namespace pyro::backend::firecracker {

/// On a fresh Firecracker: everything, the start of the machine last. Validates.
std::vector<ApiRequest> boot_requests(const MachineDescription& machine);

struct SnapshotFiles {
  std::string state_path;  // devices and cpus; small
  std::string memory_path; // as large as the guest's memory; must live, unchanged, as long as any machine
                           // that was made of it
};

enum class AfterSave { resume, stay_paused };

/// On a running machine: paused, saved in full, and running again where wished.
std::vector<ApiRequest> save_requests(const SnapshotFiles& files, AfterSave after);

/// What differs between the machine that was saved and the one brought back. Drives have to be where they
/// were: in a jail they always are.
struct RestoreChanges {
  std::optional<NetworkInterface> network; // another TAP device; the guest's MAC stays
  std::optional<std::string> vsock_socket_path;
};

/// On a fresh Firecracker, on which nothing was configured before: loads and runs.
std::vector<ApiRequest> restore_requests(const SnapshotFiles& files, const RestoreChanges& changes);

ApiRequest pause_request();
ApiRequest resume_request();
/// A key press that a guest's kernel takes as the wish to shut down (x86 with an i8042 driver only).
ApiRequest ctrl_alt_del_request();

} // namespace pyro::backend::firecracker
