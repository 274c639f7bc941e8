#include "resource_use.hpp"

#include "error.hpp"

#include <cmath>

namespace pyro {

namespace {

std::uint64_t amount(const Json& object, std::string_view key) {
  const auto value = get_int(object, key);
  if (value < 0) {
    throw Error(ErrorCode::protocol, "{}: {} is no amount", key, value);
  }
  return static_cast<std::uint64_t>(value);
}

std::optional<std::uint64_t> maybe_amount(const Json& object, std::string_view key) {
  return maybe_int(object, key) ? std::optional(amount(object, key)) : std::nullopt;
}

Json number_or_null(const auto& value) {
  return value ? Json(*value) : Json();
}

CountedBy counted_by(const Json& object) {
  const auto name = get_string(object, "counted_by");
  for (const auto by : {CountedBy::cgroup, CountedBy::processes, CountedBy::machine}) {
    if (name == name_of(by)) {
      return by;
    }
  }
  throw Error(ErrorCode::protocol, "counted_by: '{}' is nobody who counts", name);
}

/// nullptr: nobody counted it, which is said.
const Json* part(const Json& value, std::string_view key) {
  if (!value.is_object() || !value.contains(key)) {
    throw Error(ErrorCode::protocol, "'{}' is missing", key);
  }
  const auto& found = value.at(std::string(key));
  return found.is_null() ? nullptr : &found;
}

} // namespace

ResourceUse ResourceUse::completed_by(const ResourceUse& other) const {
  return {cpu ? cpu : other.cpu, memory ? memory : other.memory, pids ? pids : other.pids};
}

std::string_view name_of(CountedBy by) {
  switch (by) {
  case CountedBy::cgroup:
    return "cgroup";
  case CountedBy::processes:
    return "processes";
  case CountedBy::machine:
    return "machine";
  }
  throw Error(ErrorCode::internal, "no such way to count");
}

Json to_json(const ResourceUse& value) {
  Json document{{"cpu", nullptr}, {"memory", nullptr}, {"pids", nullptr}};
  if (const auto& cpu = value.cpu) {
    document["cpu"] = {
        {"usec", cpu->usec}, {"limit", number_or_null(cpu->limit)}, {"counted_by", name_of(cpu->by)}};
  }
  if (const auto& memory = value.memory) {
    document["memory"] = {
        {"bytes", memory->bytes},
        {"peak_bytes", number_or_null(memory->peak_bytes)},
        {"cached_bytes", number_or_null(memory->cached_bytes)},
        {"limit_bytes", number_or_null(memory->limit_bytes)},
        {"counted_by", name_of(memory->by)}};
  }
  if (const auto& pids = value.pids) {
    document["pids"] = {
        {"count", pids->count}, {"limit", number_or_null(pids->limit)}, {"counted_by", name_of(pids->by)}};
  }
  return document;
}

ResourceUse resource_use_from_json(const Json& value) {
  ResourceUse use;
  if (const auto* cpu = part(value, "cpu")) {
    use.cpu = CpuUse{counted_by(*cpu), amount(*cpu, "usec"), std::nullopt};
    if (part(*cpu, "limit") != nullptr) {
      use.cpu->limit = get_double(*cpu, "limit");
      if (!(*use.cpu->limit > 0) || std::isinf(*use.cpu->limit)) {
        throw Error(ErrorCode::protocol, "limit: {} is no number of processors", *use.cpu->limit);
      }
    }
  }
  if (const auto* memory = part(value, "memory")) {
    use.memory = MemoryUse{
        counted_by(*memory), amount(*memory, "bytes"), maybe_amount(*memory, "peak_bytes"),
        maybe_amount(*memory, "cached_bytes"), maybe_amount(*memory, "limit_bytes")};
  }
  if (const auto* pids = part(value, "pids")) {
    use.pids = PidsUse{counted_by(*pids), amount(*pids, "count"), maybe_amount(*pids, "limit")};
  }
  return use;
}

} // namespace pyro
