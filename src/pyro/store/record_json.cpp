// JSON of the records of records.hpp. Keys that this version does not know are ignored when read.
#include "recipes.hpp"
#include "records.hpp"

#include <pyro/base/error.hpp>

namespace pyro::store {

namespace {

using pyro::or_null;

template <typename T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}

std::optional<double> maybe_number(const Json& object, std::string_view key) {
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? std::nullopt : std::optional(get_double(object, key));
}

Json value_or(const Json& object, const char* key, Json otherwise) {
  const auto found = object.find(key);
  return found == object.end() ? std::move(otherwise) : *found;
}

Json object_or_empty(const Json& object, const char* key) {
  Json value = value_or(object, key, Json::object());
  if (!value.is_object()) {
    throw Error(ErrorCode::protocol, "\"{}\" must be an object", key);
  }
  return value;
}

Json process_to_json(const std::optional<os::ProcessId>& process) {
  if (!process) {
    return nullptr;
  }
  return {{"pid", process->pid}, {"start_time", process->start_time}, {"boot_id", process->boot_id}};
}

std::optional<os::ProcessId> process_from_json(const Json& object, const char* key) {
  const Json value = value_or(object, key, nullptr);
  if (value.is_null()) {
    return std::nullopt;
  }
  return os::ProcessId{
      static_cast<pid_t>(get_int(value, "pid")), static_cast<std::uint64_t>(get_int(value, "start_time")),
      get_string(value, "boot_id")};
}

Json undo_to_json(const std::optional<UndoEntry>& undo) {
  if (!undo) {
    return nullptr;
  }
  return {
      {"generation", undo->generation},
      {"layers", undo->layers},
      {"host_directories", host_directories_to_json(undo->host_directories)},
      {"made_at", undo->made_at},
      {"reason", undo->reason},
      {"expires_at", undo->expires_at}};
}

std::optional<UndoEntry> undo_from_json(const Json& value) {
  if (value.is_null()) {
    return std::nullopt;
  }
  return UndoEntry{
      static_cast<int>(get_int(value, "generation")),
      layers_from_json(value),
      host_directories_from_json(value_at(value, "host_directories")),
      get_double(value, "made_at"),
      get_string(value, "reason"),
      get_double(value, "expires_at")};
}

template <typename Enum, std::size_t count>
Enum enum_from(const std::array<Enum, count>& all, const std::string& name, std::string_view key) {
  for (const Enum each : all) {
    if (name_of(each) == name) {
      return each;
    }
  }
  throw Error(ErrorCode::protocol, "\"{}\" has the unknown value {:?}", key, name);
}

constexpr std::array k_states{WorkspaceState::created, WorkspaceState::started, WorkspaceState::stopped};
constexpr std::array k_kinds{SnapshotKind::baseline, SnapshotKind::named, SnapshotKind::managed};

} // namespace

std::string_view name_of(WorkspaceState state) {
  switch (state) {
  case WorkspaceState::created:
    return "created";
  case WorkspaceState::started:
    return "started";
  case WorkspaceState::stopped:
    return "stopped";
  }
  return "";
}

std::string_view name_of(SnapshotKind kind) {
  switch (kind) {
  case SnapshotKind::baseline:
    return "baseline";
  case SnapshotKind::named:
    return "named";
  case SnapshotKind::managed:
    return "managed";
  }
  return "";
}

Json to_json(const WorkspaceRecord& record) {
  Json metadata = record.metadata;
  metadata["execution_mode"] = record.execution_mode;
  return {
      {"layout_version", k_layout_version},
      {"workspace_id", record.id},
      {"revision", record.revision},
      {"name", or_null(record.name)},
      {"labels", record.labels},
      {"checkout", or_null(record.checkout)},
      {"identity_key", or_null(record.identity_key)},
      {"spec", record.spec},
      {"links", record.links},
      {"spec_generation", record.spec_generation},
      {"state", name_of(record.state)},
      {"environment", record.environment},
      {"backend", record.backend},
      {"isolation", record.isolation},
      {"metadata", std::move(metadata)},
      {"supervisor", process_to_json(record.supervisor)},
      {"sandbox_pid", or_null(record.sandbox_pid)},
      {"last_error", or_null(record.last_error)},
      {"generation", record.generation},
      {"layers", record.layers},
      {"host_directories", host_directories_to_json(record.host_directories)},
      {"base_key", or_null(record.base_key)},
      {"undo", undo_to_json(record.undo)},
      {"workspace_seed", record.workspace_seed},
      {"services", record.services},
      {"network", record.network},
      {"secrets", record.secrets},
      {"user", or_null(record.user)},
      {"workdir", record.workdir},
      {"env", record.env},
      {"vcpu_count", record.vcpu_count},
      {"mem_mib", record.mem_mib},
      {"created_at", record.created_at},
      {"last_activity_at", record.last_activity_at},
      {"expires_at", or_null(record.expires_at)},
      {"command_count", record.command_count},
      {"reset_count", record.reset_count},
      {"last_reset_at", or_null(record.last_reset_at)}};
}

WorkspaceRecord workspace_from_json(const Json& value) {
  WorkspaceRecord record;
  record.layout_version = check_layout_version(value, "workspace record");
  record.id = get_string(value, "workspace_id");
  record.revision = get_int(value, "revision");
  record.name = string_or(value, "name", "");
  record.labels = string_map_or_empty(value, "labels");
  record.checkout = string_or(value, "checkout", "");
  record.identity_key = string_or(value, "identity_key", "");
  record.spec = value_or(value, "spec", nullptr);
  record.links = value_or(value, "links", Json::array());
  record.spec_generation = int_or(value, "spec_generation", 0);
  record.state = enum_from(k_states, get_string(value, "state"), "state");
  record.environment = get_string(value, "environment");
  record.backend = get_string(value, "backend");
  record.isolation = string_or(value, "isolation", "");
  record.metadata = object_or_empty(value, "metadata");
  record.execution_mode = string_or(record.metadata, "execution_mode", "");
  record.supervisor = process_from_json(value, "supervisor");
  if (const auto pid = maybe_int(value, "sandbox_pid")) {
    record.sandbox_pid = static_cast<pid_t>(*pid);
  }
  record.last_error = string_or(value, "last_error", "");
  record.generation = static_cast<int>(get_int(value, "generation"));
  record.layers = layers_from_json(value);
  record.host_directories = host_directories_from_json(value_at(value, "host_directories"));
  record.base_key = string_or(value, "base_key", "");
  record.undo = undo_from_json(value_or(value, "undo", nullptr));
  record.workspace_seed = object_or_empty(value, "workspace_seed");
  record.services = object_or_empty(value, "services");
  record.network = object_or_empty(value, "network");
  record.secrets = strings_or_empty(value, "secrets");
  record.user = string_or(value, "user", "");
  record.workdir = string_or(value, "workdir", "/workspace");
  record.env = string_map_or_empty(value, "env");
  record.vcpu_count = static_cast<int>(int_or(value, "vcpu_count", 1));
  record.mem_mib = static_cast<int>(int_or(value, "mem_mib", 1024));
  record.created_at = get_double(value, "created_at");
  record.last_activity_at = get_double(value, "last_activity_at");
  record.expires_at = maybe_number(value, "expires_at");
  record.command_count = int_or(value, "command_count", 0);
  record.reset_count = int_or(value, "reset_count", 0);
  record.last_reset_at = maybe_number(value, "last_reset_at");
  return record;
}

Json to_json(const SnapshotRecord& record) {
  return {
      {"layout_version", k_layout_version},
      {"snapshot_name", record.name},
      {"kind", name_of(record.kind)},
      {"created_at", record.created_at},
      {"sequence", record.sequence},
      {"layers", record.layers},
      {"host_directories", host_directories_to_json(record.host_directories)},
      {"digest", record.digest},
      {"parent", or_null(record.parent)},
      {"size_bytes", record.size_bytes},
      {"entry_count", record.entry_count},
      {"key", or_null(record.key)}};
}

SnapshotRecord snapshot_from_json(const Json& value) {
  check_layout_version(value, "snapshot record");
  SnapshotRecord record;
  record.name = get_string(value, "snapshot_name");
  record.kind = enum_from(k_kinds, get_string(value, "kind"), "kind");
  record.created_at = get_double(value, "created_at");
  record.sequence = get_int(value, "sequence");
  record.layers = layers_from_json(value);
  record.host_directories = host_directories_from_json(value_at(value, "host_directories"));
  record.digest = get_string(value, "digest");
  if (record.digest != stack_digest(record.layers, record.host_directories)) {
    throw Error(ErrorCode::protocol, "the digest of snapshot {} does not fit its layers", record.name);
  }
  record.parent = string_or(value, "parent", "");
  record.size_bytes = static_cast<std::uint64_t>(get_int(value, "size_bytes"));
  record.entry_count = static_cast<std::uint64_t>(get_int(value, "entry_count"));
  record.key = string_or(value, "key", "");
  return record;
}

HexDigest
stack_digest(const std::vector<HexDigest>& layers, const std::vector<HostDirectory>& host_directories) {
  Sha256 hash;
  hash.field("pyro stack 1").field(std::to_string(layers.size()));
  for (const HexDigest& layer : layers) {
    hash.field(layer);
  }
  for (const HostDirectory& directory : host_directories) {
    hash.field(directory.path).field(directory.at);
  }
  return hash.finish();
}

std::vector<HexDigest> layers_from_json(const Json& value) {
  std::vector<HexDigest> layers = get_strings(value, "layers");
  for (const HexDigest& layer : layers) {
    if (!is_digest(layer)) {
      throw Error(ErrorCode::protocol, "\"layers\" holds {:?}, which is no digest", layer);
    }
  }
  return layers;
}

int check_layout_version(const Json& value, std::string_view what) {
  const std::int64_t version = get_int(value, "layout_version");
  if (version > k_layout_version) {
    throw Error(
        ErrorCode::bad_state, "the {} has layout version {}, this pyro knows {} at most", what, version,
        k_layout_version)
        .with_hint("use the newer pyro that wrote it");
  }
  if (version < 1) {
    throw Error(ErrorCode::protocol, "the {} has the impossible layout version {}", what, version);
  }
  return static_cast<int>(version);
}

} // namespace pyro::store
