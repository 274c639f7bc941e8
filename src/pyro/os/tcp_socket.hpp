// TCP listeners on this machine, for the ports that workspaces publish.
#pragma once

#include "fd.hpp"

#include <optional>
#include <string>

namespace pyro::os {

/// Could somebody listen there now? Throws what listen_tcp() would; nobody can connect meanwhile.
void check_listen_tcp(const std::string& address, int port);

/// Listens (non-blocking, close-on-exec) at an IPv4 or IPv6 address; port 0 takes a free one. Throws
/// Error(already_exists) naming the port where it is taken.
Fd listen_tcp(const std::string& address, int port);

/// Who listens there: "process 7 (nginx)"; empty where the kernel does not tell us.
std::string listener_of_tcp(const std::string& address, int port);

/// The port a listener got.
int port_of(int listener);

/// nullopt: none waiting. The accepted socket is non-blocking and close-on-exec.
std::optional<Fd> accept_tcp(int listener);

} // namespace pyro::os
