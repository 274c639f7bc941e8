// Addresses that are nobody's, this machine's, or of the networks around it.
#pragma once

#include <pyro/base/destination.hpp>

#include <vector>

namespace pyro::egress {

/// Destinations that no sandbox reaches, whatever addresses this machine has: loopback, link-local, metadata
/// and wire services of the clouds, multicast groups. Those of IPv4 also as NAT64 spells them.
const std::vector<Destination>& forbidden_destinations();

/// Networks that are not the internet's: private ones (RFC 1918, RFC 4193), of carriers (RFC 6598), for
/// benchmarks (RFC 2544) and for documentation (RFC 5737, RFC 3849). Those of IPv4 also as NAT64 spells them.
const std::vector<Destination>& private_destinations();

/// With each of IPv4 also as gateways of networks without IPv4 spell it (RFC 6052, RFC 8215).
std::vector<Destination> with_translated(std::vector<Destination> destinations);

/// Does any of them hold it?
bool is_in(const std::vector<Destination>& destinations, const Destination& address);

} // namespace pyro::egress
