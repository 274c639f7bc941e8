// The byte stream between a virtual machine's first process and its host: a virtio-serial port (QEMU), or a
// port of the vsock at which we listen where the kernel's command line says so (pyro.vsock_port=N;
// Firecracker).
#pragma once

#include <pyro/os/fd.hpp>

#include <cstdint>
#include <optional>
#include <string_view>

namespace pyro::agent {

/// Waits for the port to appear, or for the host to connect.
os::Fd open_guest_channel();

/// Does the command line of this kernel name a vsock port?
bool has_vsock_channel();

/// N of "... pyro.vsock_port=N ..."; nullopt: it is not there, or is no port.
std::optional<std::uint32_t> vsock_port_of(std::string_view command_line);

} // namespace pyro::agent
