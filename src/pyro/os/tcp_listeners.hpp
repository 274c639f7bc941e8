// Who listens at a TCP port, as far as the kernel tells: /proc/net/tcp names the sockets of this network
// namespace, /proc/PID/fd their holders.
#pragma once

#include <sys/socket.h>
#include <sys/types.h>

#include <set>
#include <string>
#include <vector>

namespace pyro::os {

using SocketInodes = std::set<unsigned long long>;

/// Those that listen at exactly this address, otherwise those that listen at every address. At the address
/// that stands for every one: all of its port.
SocketInodes listening_sockets(const sockaddr_storage& address);

/// False for a process that is gone or not ours to look at.
bool holds_socket(pid_t pid, const SocketInodes& sockets);
/// Of all processes that are visible.
std::vector<pid_t> holders_of(const SocketInodes& sockets);

/// "process 7 (nginx)"
std::string name_of_process(pid_t pid);

} // namespace pyro::os
