// A Unix socket bound by its path alone, as Firecracker does it: in a jail there is no /proc to shorten paths
// with (os/unix_socket.hpp).
#pragma once

#include <pyro/os/fd.hpp>

#include <string>

namespace pyro::testing::firecracker {

/// Throws Error where there is something already, as Firecracker does.
os::Fd listen_at(const std::string& path);

} // namespace pyro::testing::firecracker
