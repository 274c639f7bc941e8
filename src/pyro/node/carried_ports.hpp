// What the process that carries the ports of a workspace elsewhere (port_carrier.hpp) has to say, for every
// command on this machine: a file beside the workspace's record, written whole.
#pragma once

#include <pyro/base/json_access.hpp>
#include <pyro/place/placed.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace pyro::node {

struct CarriedPorts {
  std::int64_t process = 0;        // that carries them; once it has ended nobody listens
  std::string job_id;              // of the lease
  Json ports = Json::array();      // [{service, address, host_port, fixed, port}], as they are listened at
  Json problems = Json::array();   // [the same with `why`]: those that nobody listens at
  Json remembered = Json::array(); // ports that nobody asked for by number keep the one that they had
  Json
      refused; // the last connection that could not be carried: {"port", "reason", "at", "count"}; null: none
};

std::string carried_ports_path(const place::PlacedRecords& records, const place::Placed& placed);
void save(const CarriedPorts& carried, const std::string& path);
/// nullopt: there is none (that can be read).
std::optional<CarriedPorts> maybe_load_carried(const std::string& path);

/// Is that the same port inside, published the same way?
bool is_same_publication(const Json& left, const Json& right);

} // namespace pyro::node
