// The address of a sandbox as its own network has it, read from outside.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

namespace pyro::workspace {

/// The first IPv4 address in the text of /proc/PID/net/fib_trie that belongs to the machine itself and is not
/// loopback.
std::optional<std::string> address_in_fib_trie(std::string_view text);

/// Of the network that this process is in; nullopt where it has none but loopback, or the process is gone.
std::optional<std::string> guest_address(pid_t pid);

} // namespace pyro::workspace
