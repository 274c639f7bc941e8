// Unix stream sockets: the supervisor's control socket, and descriptors passed over them (SCM_RIGHTS).
#pragma once

#include "fd.hpp"

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

namespace pyro::os {

/// A connected pair, close-on-exec.
std::pair<Fd, Fd> socket_pair();

/// Listens at `path`, mode 0600. Paths longer than sun_path work too (bound through /proc/self/fd).
Fd listen_unix(const std::string& path);

/// nullopt when nobody listens there (ENOENT, ECONNREFUSED).
std::optional<Fd> maybe_connect_unix(const std::string& path);

/// nullopt: none waiting. The accepted socket is non-blocking and close-on-exec.
std::optional<Fd> accept_unix(int listener);

struct PeerCredentials {
  pid_t pid;
  uid_t uid;
  gid_t gid;
};

/// SO_PEERCRED
PeerCredentials peer_credentials(int socket);

/// Their owners keep them.
std::vector<int> numbers_of(const std::vector<Fd>& fds);

/// One message with descriptors; throws on failure.
void send_with_fds(int socket, std::string_view bytes, const std::vector<int>& fds);

struct Received {
  std::string bytes; // empty: end of stream
  std::vector<Fd> fds;
};

/// Blocks for one message of at most `limit` bytes and 64 descriptors (close-on-exec). Of a stream, messages
/// without descriptors that were sent one after the other may come as one.
Received receive_with_fds(int socket, std::size_t limit = 64 << 10);

} // namespace pyro::os
