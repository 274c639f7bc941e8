// What a request must be, whoever it is for: for the host that the connection was made to, and of one meaning
// to every server.
#pragma once

#include "http_head.hpp"

#include <cstdint>
#include <string>

namespace pyro::gateway {

struct Origin {
  std::string scheme; // "http" or "https"
  std::string host;   // as egress::host_name() gives it
  std::uint16_t port = 0;
};

/// Throws Error(permission) that says why it is refused.
void check_request(const RequestHead& head, const Origin& origin);

/// Does it ask for another protocol? check_request() lets only web sockets do so.
bool asks_for_upgrade(const RequestHead& head);

} // namespace pyro::gateway
