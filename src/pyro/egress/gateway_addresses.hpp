// The network between a workspace and its gateway: of ranges that are nobody's (RFC 2544, RFC 4193).
#pragma once

namespace pyro::egress {

/// The gateway's end, which is the workspace's name server too, and the workspace's.
inline constexpr const char* k_gateway_address = "198.18.0.1";
inline constexpr int k_name_server_port = 53;
inline constexpr const char* k_workspace_address = "198.18.0.2";
inline constexpr int k_network_prefix = 30;
inline constexpr const char* k_gateway_address6 = "fd70:7972:6f00::1";
inline constexpr const char* k_workspace_address6 = "fd70:7972:6f00::2";
inline constexpr int k_network_prefix6 = 64;

/// From here on up are the addresses that names get (gateway/given_addresses.hpp).
inline constexpr const char* k_given_range = "198.18.0.0/15";

} // namespace pyro::egress
