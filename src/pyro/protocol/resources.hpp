// /resources {} of the agent → Resources: what the processes inside take, counted from inside. The supervisor
// answers its own "/resources" {} with what this machine's kernel counts: a ResourceUse.
#pragma once

#include <pyro/base/resource_use.hpp>

#include <map>
#include <optional>
#include <string>

namespace pyro::protocol {

/// Of the disk that the sandbox writes to.
struct DiskUse {
  std::uint64_t used_bytes = 0;
  std::uint64_t size_bytes = 0;
};

struct Resources {
  ResourceUse whole;                           // of a virtual machine: all that runs in it
  std::map<std::string, ResourceUse> services; // those with a process, and what came of them
  std::optional<DiskUse> disk;                 // where it has one of its own
};

Json to_json(const Resources& value);
/// Throws Error for what is no such thing, and for more services than a sandbox can have.
Resources resources_from_json(const Json& value);

} // namespace pyro::protocol
