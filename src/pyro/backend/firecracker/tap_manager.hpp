// Makes, remembers and removes the TAP devices of guests, with their addresses and nftables rules, in the
// network namespace of this process. A device is written down before it is made and says itself whose it is:
// whoever finds the record of a dead process removes what it names, and nothing that belongs to others. Root
// only.
#pragma once

#include "network_config.hpp"

#include <pyro/base/json_access.hpp>

#include <optional>
#include <string>
#include <vector>

namespace pyro::backend::firecracker {

/// A guest's device; destroying it removes device, rules and record.
class Tap {
public:
  Tap(Tap&& other) noexcept;
  Tap& operator=(Tap&&) = delete;
  ~Tap();

  const AddressPlan& plan() const { return m_plan; }

private:
  friend class TapManager;
  Tap(AddressPlan plan, std::string record_path, std::string alias);

  AddressPlan m_plan;
  std::string m_record_path; // empty: given away
  std::string m_alias;
};

class TapManager {
public:
  /// Removes nothing yet, but see remove_abandoned().
  explicit TapManager(NetworkConfig config);

  /// The first free number of the pool. Throws Error(unavailable) without nft, without forwarding, or with
  /// the pool used up; nothing is left then.
  Tap make() const;

  /// Devices, rules and records of processes that are gone; names of the devices.
  std::vector<std::string> remove_abandoned() const;

private:
  std::optional<Tap> try_make(unsigned number) const;

  NetworkConfig m_config;
};

} // namespace pyro::backend::firecracker
