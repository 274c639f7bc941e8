#include "old_records.hpp"

#include "workspace_record.hpp"

#include <pyro/base/error.hpp>

#include <charconv>

namespace pyro::store {

namespace {

/// null where it is absent.
Json taken(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() ? Json() : *found;
}

/// {"web:8080": 40123}, or null where none was ever published.
Json ports_of_version_3(const Json& old) {
  Json list = Json::array();
  if (old.is_null()) {
    return list;
  }
  for (const auto& [key, host_port] : old.items()) {
    const auto colon = key.rfind(':');
    int port = 0;
    if (colon == std::string::npos
        || std::from_chars(key.data() + colon + 1, key.data() + key.size(), port).ec != std::errc{}) {
      throw Error(ErrorCode::protocol, "\"ports\" holds {:?}, which is no port of a service", key);
    }
    list.push_back({{"service", key.substr(0, colon)}, {"port", port}, {"host_port", host_port}});
  }
  return list;
}

Json base_of_version_3(const Json& old, const Json& key, const Json& snapshot) {
  Json seed;
  if (old.is_object() && old.contains("last_seed")) {
    seed = {
        {"below", value_at(old, "below")},
        {"first", value_at(old, "first_seed")},
        {"last", value_at(old, "last_seed")}};
  }
  return {
      {"key", key},
      {"snapshot", snapshot},
      {"layers", old.is_object() ? value_at(old, "layers") : Json()},
      {"seed", std::move(seed)}};
}

/// Version 2 wrote reset.undo of the file into the spec and kept every undo point for a day.
std::int64_t undo_of_spec(const Json& spec) {
  const auto reset = spec.is_object() ? taken(spec, "reset") : Json();
  return reset.is_object() ? int_or(reset, "undo_ms", Lifecycle::k_undo_ms) : Lifecycle::k_undo_ms;
}

Json undo_of_version_3(const Json& old, const Json& metadata) {
  auto undo = taken(old, "undo");
  if (undo.is_object()) {
    // A destroy noted nothing of what the content was made from: it is still that of the record.
    const bool is_of_destroy = metadata.contains("destroyed_at");
    const bool has_key = metadata.contains("undo_base_key");
    const auto key = has_key ? taken(metadata, "undo_base_key") : taken(old, "base_key");
    undo["base"] = is_of_destroy ? base_of_version_3(
                       taken(metadata, "base"), taken(old, "base_key"), taken(metadata, "base_snapshot"))
                                 : base_of_version_3(taken(metadata, "undo_base"), key, nullptr);
  }
  return undo;
}

Json vm_of_version_3(const Json& metadata) {
  if (string_or(metadata, "kind", "") != "vm") {
    return nullptr;
  }
  return {
      {"wanted_backend", string_or(metadata, "wanted_backend", "auto")},
      {"network_policy", string_or(metadata, "network_policy", "")},
      {"allow_host_compat", bool_or(metadata, "allow_host_compat", false)}};
}

} // namespace

Json workspace_of_version_3(const Json& old) {
  const auto& metadata = value_at(old, "metadata");
  if (!metadata.is_object()) {
    throw Error(ErrorCode::protocol, "\"metadata\" must be an object");
  }
  Json record = old;
  for (const auto* gone :
       {"metadata", "base_key", "workspace_seed", "services", "network", "vcpu_count", "mem_mib"}) {
    record.erase(gone);
  }
  for (const auto* moved :
       {"project_file", "services_file", "maker", "destroyed_at", "execution_mode", "notes"}) {
    record[moved] = taken(metadata, moved);
  }
  record["starting"] = bool_or(metadata, "starting", false);
  record["vm"] = vm_of_version_3(metadata);
  record["base"] =
      base_of_version_3(taken(metadata, "base"), taken(old, "base_key"), taken(metadata, "base_snapshot"));
  record["synced_baseline"] = taken(metadata, "baseline");
  record["undo"] = undo_of_version_3(old, metadata);
  const auto seed = taken(old, "workspace_seed");
  record["seed"] = {
      {"mode", seed.is_object() ? taken(seed, "mode") : Json()},
      {"path", seed.is_object() ? taken(seed, "seed_path") : Json()}};
  const auto network = taken(old, "network");
  record["egress"] = network.is_object() ? string_or(network, "egress", "none") : "none";
  record["ports"] = ports_of_version_3(taken(metadata, "ports"));
  record["limits"] = {
      {"vcpu_count", int_or(old, "vcpu_count", 1)},
      {"mem_mib", int_or(old, "mem_mib", 1024)},
      {"pids", int_or(metadata, "pids", 1024)},
      {"disk_bytes", int_or(metadata, "disk_bytes", 0)}};
  record["lifecycle"] = {
      {"ttl_ms", int_or(metadata, "ttl_ms", 0)},
      {"idle_ms", int_or(metadata, "idle_ms", 0)},
      {"undo_ms", undo_of_spec(taken(old, "spec"))},
      {"destroy_when_idle", bool_or(metadata, "destroy_when_idle", false)},
      {"destroy_when_expired", bool_or(metadata, "destroy_when_expired", false)}};
  return record;
}

} // namespace pyro::store
