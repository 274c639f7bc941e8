// Calls on the sockets of a connection, which never wait.
#pragma once

#include <pyro/base/destination.hpp>
#include <pyro/os/fd.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace pyro::gateway {

/// What one call of receive() takes at most.
inline constexpr std::size_t k_most_received = 64 << 10;

/// What came. nullopt: nothing yet; "": the end, or it broke. `flags`: of recv(2).
std::optional<std::string> receive(int socket, int flags = 0);

/// Sends the front of it, as much as there is room for, and takes that off. False: the socket is gone.
bool send_front(int socket, std::string& bytes);

/// As os::start_connect(), for bytes that go at once.
os::Fd begin_connect(const Destination& address, std::uint16_t port);

/// The other side is told that it broke, not that it ended, when the socket is closed.
void reset_on_close(int socket);

} // namespace pyro::gateway
