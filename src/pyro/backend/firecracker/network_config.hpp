// Addresses of Firecracker guests that have a network: a /30 of a pool for each, the host's end in a TAP
// device. Pure; tap_manager.hpp makes what is planned here.
#pragma once

#include <cstdint>
#include <string>

namespace pyro::backend::firecracker {

struct NetworkConfig {
  std::string pool = "172.29.0.0/16"; // private and seldom used; must not be a network of the host's
  std::string record_dir;             // where devices are written down before they are made
  std::uint32_t uid = 0;              // whom Firecracker runs as: may open the devices
  std::uint32_t gid = 0;
};

/// The n-th guest's. All of it follows from the number, so nothing else has to be remembered.
struct AddressPlan {
  unsigned number = 0;
  std::string tap;           // "pyro-t7"; also the name of its nftables table
  std::string host_address;  // "172.29.0.29"
  std::string guest_address; // "172.29.0.30"
  int prefix = 30;
  std::string guest_mac; // 06:00 and the guest's address
};

/// How many guests fit into the pool. Throws Error(invalid_argument) for what is no IPv4 network.
unsigned capacity_of(const std::string& pool);
/// Throws Error(invalid_argument) beyond the pool's end.
AddressPlan plan_addresses(const std::string& pool, unsigned number);

/// What nft(8) is told for a guest: its packets leave under the host's address; they come from its own
/// address and from nowhere else; it reaches neither the host, nor other guests, nor the cloud's metadata
/// service; nobody reaches it but in answer.
std::string nat_rules(const AddressPlan& plan);

} // namespace pyro::backend::firecracker
