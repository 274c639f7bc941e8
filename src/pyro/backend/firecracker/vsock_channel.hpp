// A connection to a port inside a Firecracker guest: Firecracker listens on a Unix socket and wants to hear
// "CONNECT <port>" first (Firecracker's docs/vsock.md).
#pragma once

#include <pyro/os/fd.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

namespace pyro::backend::firecracker {

/// Tries until somebody listens on the port inside. `still_there` is asked between attempts and may throw, as
/// when the machine has ended. The answer's line is all that is read: what the guest sends after it stays in
/// the stream. Throws Error(timeout), or Error(protocol) for another answer.
os::Fd connect_vsock(
    const std::string& socket_path, std::uint32_t port, std::chrono::milliseconds limit,
    const std::function<void()>& still_there = {});

/// The host's port out of "OK 1073741824" (without line end). Throws Error(protocol).
std::uint32_t parse_vsock_answer(std::string_view line);

} // namespace pyro::backend::firecracker
