#include "guest_boot.hpp"

#include <pyro/base/error.hpp>

namespace pyro::protocol {

namespace {

std::uint64_t sectors_from(const Json& value) {
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() == 0) {
    throw Error(ErrorCode::protocol, "the size of an image must be a positive number of sectors");
  }
  return value.get<std::uint64_t>();
}

} // namespace

Json to_json(const GuestMount& mount) {
  Json parts = Json::array();
  for (const auto& part : mount.parts) {
    parts.push_back({{"name", part.name}, {"sectors", part.sectors}});
  }
  return {{"do", "mount"}, {"layers", mount.layers}, {"parts", parts}};
}

Json to_json(const GuestEnter& enter) {
  return {
      {"do", "enter"},
      {"hostname", enter.hostname},
      {"machine_id", enter.machine_id},
      {"epoch_ms", enter.epoch_ms},
      {"entropy", enter.entropy},
      {"network", enter.network},
      {"resolv_conf", enter.resolv_conf},
      {"address", enter.address},
      {"netmask", enter.netmask},
      {"gateway", enter.gateway}};
}

GuestMount guest_mount_from_json(const Json& value) {
  GuestMount mount;
  for (const auto& size : value_at(value, "layers")) {
    mount.layers.push_back(sectors_from(size));
  }
  for (const auto& part : value_at(value, "parts")) {
    mount.parts.push_back({get_string(part, "name"), sectors_from(value_at(part, "sectors"))});
  }
  if (mount.layers.empty() || mount.layers.size() + mount.parts.size() > k_max_guest_layers) {
    throw Error(
        ErrorCode::protocol, "a guest has between 1 and {} images, not {}", k_max_guest_layers,
        mount.layers.size() + mount.parts.size());
  }
  return mount;
}

GuestEnter guest_enter_from_json(const Json& value) {
  GuestEnter enter;
  enter.hostname = get_string(value, "hostname");
  enter.machine_id = get_string(value, "machine_id");
  enter.epoch_ms = get_int(value, "epoch_ms");
  enter.entropy = get_string(value, "entropy");
  enter.network = get_bool(value, "network");
  enter.resolv_conf = get_string(value, "resolv_conf");
  enter.address = string_or(value, "address", "");
  enter.netmask = string_or(value, "netmask", "");
  enter.gateway = string_or(value, "gateway", "");
  if (enter.entropy.size() < 64 || enter.entropy.size() > 1024) {
    throw Error(ErrorCode::protocol, "'entropy' must be 32 to 512 bytes in hex");
  }
  return enter;
}

} // namespace pyro::protocol
