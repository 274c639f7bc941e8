#include "machine_description.hpp"

#include <pyro/base/error.hpp>

#include <algorithm>
#include <set>

namespace pyro::backend::firecracker {

namespace {

constexpr std::size_t k_max_boot_args = 2047; // the kernel's COMMAND_LINE_SIZE with its end
constexpr std::size_t k_max_socket_path = 107;
constexpr std::size_t k_max_interface_name = 15;

void require_path(const std::string& path, const std::string& what) {
  if (path.empty() || path.find('\0') != std::string::npos) {
    throw Error(ErrorCode::invalid_argument, "{} must be a path, found '{}'", what, path);
  }
}

void require_id(const std::string& id, const std::string& what) {
  const bool plain = !id.empty() && id.size() <= 64 && std::all_of(id.begin(), id.end(), [](unsigned char c) {
    return std::isalnum(c) || c == '_';
  });
  if (!plain) {
    throw Error(ErrorCode::invalid_argument, "{} may have letters, digits and _, found '{}'", what, id);
  }
}

bool is_mac(const std::string& text) {
  if (text.size() != 17) {
    return false;
  }
  for (std::size_t index = 0; index < text.size(); ++index) {
    const auto letter = static_cast<unsigned char>(text[index]);
    if (index % 3 == 2 ? letter != ':' : !std::isxdigit(letter)) {
      return false;
    }
  }
  return true;
}

void validate_drives(const std::vector<Drive>& drives) {
  std::set<std::string> ids;
  for (const auto& drive : drives) {
    require_id(drive.id, "a drive's id");
    require_path(drive.path, "the path of drive " + drive.id);
    if (!ids.insert(drive.id).second) {
      throw Error(ErrorCode::invalid_argument, "two drives have the id '{}'", drive.id);
    }
  }
}

void validate_network(const NetworkInterface& network) {
  require_id(network.id, "a network interface's id");
  if (network.tap.empty() || network.tap.size() > k_max_interface_name
      || network.tap.find('/') != std::string::npos) {
    throw Error(ErrorCode::invalid_argument, "'{}' is no name of a network device", network.tap);
  }
  if (!is_mac(network.guest_mac)) {
    throw Error(ErrorCode::invalid_argument, "'{}' is no MAC address", network.guest_mac);
  }
}

} // namespace

void validate(const MachineDescription& machine) {
  if (machine.vcpus < 1 || machine.vcpus > 32) {
    throw Error(ErrorCode::invalid_argument, "Firecracker gives 1 to 32 cpus, not {}", machine.vcpus);
  }
  if (machine.memory_mib < 1) {
    throw Error(ErrorCode::invalid_argument, "a machine needs memory, not {} MiB", machine.memory_mib);
  }
  require_path(machine.kernel_path, "the kernel");
  if (machine.initrd_path) {
    require_path(*machine.initrd_path, "the initrd");
  }
  const auto& arguments = machine.boot_args;
  if (arguments.size() > k_max_boot_args
      || std::any_of(arguments.begin(), arguments.end(), [](char c) { return c < ' ' || c > '~'; })) {
    throw Error(
        ErrorCode::invalid_argument, "the kernel's command line must be printable and at most {} bytes long",
        k_max_boot_args);
  }
  validate_drives(machine.drives);
  if (machine.vsock) {
    require_path(machine.vsock->socket_path, "the vsock's socket");
    if (machine.vsock->guest_cid < 3 || machine.vsock->socket_path.size() > k_max_socket_path) {
      throw Error(
          ErrorCode::invalid_argument,
          "a vsock needs a cid of 3 or more and a socket path of at most {} bytes", k_max_socket_path);
    }
  }
  if (machine.network) {
    validate_network(*machine.network);
  }
  const auto devices =
      machine.drives.size() + (machine.vsock ? 1 : 0) + (machine.network ? 1 : 0) + 1; // entropy
  if (devices > k_max_devices) {
    throw Error(
        ErrorCode::unavailable, "Firecracker takes {} devices, this machine would have {} ({} drives)",
        k_max_devices, devices, machine.drives.size())
        .with_hint("fewer layers: merge steps of the environment");
  }
}

} // namespace pyro::backend::firecracker
