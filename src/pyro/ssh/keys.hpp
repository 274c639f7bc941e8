// The keys of this user's ssh server, made once: host_key, by which clients know it again, and client_key,
// for clients that insist on showing one; known_hosts and client_key.pub for their sake. All of it lies in
// one directory of the user's state, and none of it ever comes into a workspace.
#pragma once

#include "handles.hpp"

#include <string>

namespace pyro::ssh {

/// As HostKeyAlias has it, and therefore known_hosts.
inline constexpr const char* k_host_alias = "pyro";

struct Keys {
  OwnedKey host;
  OwnedKey client; // its public half
};

/// Those that lie in `directory`; what is missing is made. Error(io) naming a key that cannot be read.
Keys prepare_keys(const std::string& directory);

} // namespace pyro::ssh
