#include "resources.hpp"

#include "requests.hpp"
#include "service_requests.hpp"

#include <pyro/base/error.hpp>

namespace pyro::protocol {

Json to_json(const Resources& value) {
  auto document = pyro::to_json(value.whole);
  document["services"] = Json::object();
  for (const auto& [name, use] : value.services) {
    document["services"][name] = pyro::to_json(use);
  }
  document["disk"] =
      value.disk ? Json{{"used_bytes", value.disk->used_bytes}, {"size_bytes", value.disk->size_bytes}}
                 : Json();
  return document;
}

Resources resources_from_json(const Json& value) {
  Resources resources;
  resources.whole = resource_use_from_json(value);
  const auto& services = value_at(value, "services");
  if (!services.is_object() || services.size() > k_max_services) {
    throw Error(ErrorCode::protocol, "services: not those of one sandbox");
  }
  for (const auto& [name, use] : services.items()) {
    check_name(name, "the service");
    resources.services[name] = resource_use_from_json(use);
  }
  if (const auto disk = value.value("disk", Json()); !disk.is_null()) {
    const auto used = get_int(disk, "used_bytes");
    const auto size = get_int(disk, "size_bytes");
    if (used < 0 || size < 0) {
      throw Error(ErrorCode::protocol, "disk: {} of {} bytes make no sense", used, size);
    }
    resources.disk = DiskUse{static_cast<std::uint64_t>(used), static_cast<std::uint64_t>(size)};
  }
  return resources;
}

} // namespace pyro::protocol
