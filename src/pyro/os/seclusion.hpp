// A process that is to talk to strangers and keep nothing of this machine within reach: other namespaces, a
// resolver of its own, no more privileges than files need, files of a bounded size.
#pragma once

#include <cstdint>
#include <string>

namespace pyro::os {

struct Seclusion {
  int network_namespace = -1; // -1: it stays in ours, and so with all below
  int user_namespace = -1;    // of the network, where only its root may join; -1: it stays in ours
  std::string uid_map;        // who it is in a user namespace of its own below that one: "1000 0 1"
  std::string gid_map;
  std::string resolv_conf; // a file that it sees as /etc/resolv.conf; empty: this machine's
};

/// Of this process, which is about to execute another program. Only calls that are safe after fork(2). False:
/// errno says why not.
bool seclude_this_process(const Seclusion& seclusion) noexcept;

/// No file that this process and its children write grows beyond it (RLIMIT_FSIZE).
bool limit_file_size(std::uint64_t bytes) noexcept;

} // namespace pyro::os
