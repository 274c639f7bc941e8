// What a Firecracker machine is to be, in paths as Firecracker sees them (in a jail: from the jail's root).
// Where the files come from is launcher.hpp's business; the calls made of it are in machine_requests.hpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pyro::backend::firecracker {

enum class DriveAccess { read_only, read_write };

/// The guest finds drives as /dev/vda, /dev/vdb, ... in the order given.
struct Drive {
  std::string id; // letters, digits and _
  std::string path;
  DriveAccess access = DriveAccess::read_only;
};

struct Vsock {
  std::uint32_t guest_cid = 3;
  std::string socket_path; // Firecracker makes it when the machine starts
};

struct NetworkInterface {
  std::string id = "eth0";
  std::string tap;       // name of a device of the host
  std::string guest_mac; // "06:00:ac:1d:00:02"
};

struct MachineDescription {
  int vcpus = 1;
  std::int64_t memory_mib = 256;
  std::string kernel_path;
  std::optional<std::string> initrd_path;
  std::string boot_args;
  std::vector<Drive> drives;
  std::optional<Vsock> vsock;
  std::optional<NetworkInterface> network;
};

/// The interrupts of Firecracker's virtio-mmio devices are few; that many drives, vsock, network and entropy
/// devices always fit.
inline constexpr std::size_t k_max_devices = 16;

/// Throws Error(invalid_argument) naming the field: what Firecracker would refuse or misunderstand is never
/// sent.
void validate(const MachineDescription& machine);

} // namespace pyro::backend::firecracker
