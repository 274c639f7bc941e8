// JSON of a workspace's record. Keys that this version does not know are ignored when read.
#include "enum_json.hpp"
#include "old_records.hpp"
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

const Json& member(const Json& object, const char* key) {
  static const Json null;
  const auto found = object.find(key);
  return found == object.end() ? null : *found;
}

std::optional<double> maybe_number(const Json& object, const char* key) {
  return member(object, key).is_null() ? std::nullopt : std::optional(get_double(object, key));
}

Json to_json(const std::optional<os::ProcessId>& process) {
  if (!process) {
    return nullptr;
  }
  return {{"pid", process->pid}, {"start_time", process->start_time}, {"boot_id", process->boot_id}};
}

std::optional<os::ProcessId> process_from_json(const Json& value) {
  if (value.is_null()) {
    return std::nullopt;
  }
  return os::ProcessId{
      static_cast<pid_t>(get_int(value, "pid")), static_cast<std::uint64_t>(get_int(value, "start_time")),
      get_string(value, "boot_id")};
}

Json to_json(const ContentBase& base) {
  Json seed;
  if (base.seed) {
    seed = {{"below", base.seed->below}, {"first", base.seed->first}, {"last", base.seed->last}};
  }
  return {
      {"key", or_null(base.key)},
      {"snapshot", or_null(base.snapshot)},
      {"layers", or_null(base.layers)},
      {"seed", std::move(seed)}};
}

ContentBase base_from_json(const Json& value) {
  ContentBase base{string_or(value, "key", ""), string_or(value, "snapshot", ""), {}, {}};
  if (!member(value, "layers").is_null()) {
    base.layers = layers_from_json(value);
  }
  if (const auto& seed = member(value, "seed"); !seed.is_null()) {
    base.seed = SyncedSeed{
        layers_from_json(seed, "below"), layers_from_json(seed, "first"), layers_from_json(seed, "last")};
  }
  return base;
}

Json to_json(const std::optional<SyncedBaseline>& baseline) {
  if (!baseline) {
    return nullptr;
  }
  return {{"layers", baseline->layers}, {"below", baseline->below}, {"first_seed", baseline->first_seed}};
}

Json to_json(const SeedSource& seed) {
  return {
      {"mode", or_null(seed.mode)},
      {"path", or_null(seed.path)},
      {"entry_count", or_null(seed.entry_count)},
      {"bytes", or_null(seed.bytes)}};
}

SeedSource seed_from_json(const Json& value) {
  return {
      string_or(value, "mode", ""), string_or(value, "path", ""), maybe_int(value, "entry_count"),
      maybe_int(value, "bytes")};
}

std::optional<SyncedBaseline> baseline_from_json(const Json& value) {
  if (value.is_null()) {
    return std::nullopt;
  }
  return SyncedBaseline{
      layers_from_json(value), layers_from_json(value, "below"), layers_from_json(value, "first_seed")};
}

Json to_json(const std::optional<UndoEntry>& undo) {
  if (!undo) {
    return nullptr;
  }
  return {
      {"generation", undo->generation},
      {"layers", undo->layers},
      {"host_directories", host_directories_to_json(undo->host_directories)},
      {"base", to_json(undo->base)},
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
      base_from_json(value_at(value, "base")),
      get_double(value, "made_at"),
      get_string(value, "reason"),
      get_double(value, "expires_at")};
}

Json to_json(const Lifecycle& lifecycle) {
  return {
      {"ttl_ms", lifecycle.ttl_ms},
      {"idle_ms", lifecycle.idle_ms},
      {"undo_ms", lifecycle.undo_ms},
      {"destroy_when_idle", lifecycle.destroy_when_idle},
      {"destroy_when_expired", lifecycle.destroy_when_expired}};
}

Lifecycle lifecycle_from_json(const Json& value) {
  return {
      get_int(value, "ttl_ms"), get_int(value, "idle_ms"), get_int(value, "undo_ms"),
      get_bool(value, "destroy_when_idle"), get_bool(value, "destroy_when_expired")};
}

Json to_json(const Limits& limits) {
  return {
      {"vcpu_count", limits.vcpu_count},
      {"mem_mib", limits.mem_mib},
      {"pids", limits.pids},
      {"disk_bytes", limits.disk_bytes}};
}

Limits limits_from_json(const Json& value) {
  return {
      static_cast<int>(get_int(value, "vcpu_count")), static_cast<int>(get_int(value, "mem_mib")),
      get_int(value, "pids"), get_int(value, "disk_bytes")};
}

Json to_json(const std::vector<PublishedPort>& ports) {
  Json list = Json::array();
  for (const auto& port : ports) {
    list.push_back(
        {{"service", port.service},
         {"port", port.port},
         {"host_port", port.host_port},
         {"address", port.address}});
  }
  return list;
}

std::vector<PublishedPort> ports_from_json(const Json& list) {
  std::vector<PublishedPort> ports;
  for (const auto& port : list) {
    ports.push_back(
        {get_string(port, "service"), static_cast<int>(get_int(port, "port")),
         static_cast<int>(get_int(port, "host_port")), string_or(port, "address", "127.0.0.1")});
  }
  return ports;
}

Json to_json(const std::vector<LiveMount>& mounts) {
  Json list = Json::array();
  for (const auto& mount : mounts) {
    list.push_back(
        {{"path", mount.path},
         {"target", mount.target},
         {"writable", mount.writable},
         {"owner", mount.owner}});
  }
  return list;
}

std::vector<LiveMount> mounts_from_json(const Json& list) {
  std::vector<LiveMount> mounts;
  for (const auto& mount : list) {
    mounts.push_back(
        {get_string(mount, "path"), get_string(mount, "target"), get_bool(mount, "writable"),
         get_string(mount, "owner")});
  }
  return mounts;
}

Json to_json(const std::optional<OneShotVm>& vm) {
  if (!vm) {
    return nullptr;
  }
  return {
      {"wanted_backend", vm->wanted_backend},
      {"network_policy", vm->network_policy},
      {"allow_host_compat", vm->allow_host_compat}};
}

std::optional<OneShotVm> vm_from_json(const Json& value) {
  if (value.is_null()) {
    return std::nullopt;
  }
  return OneShotVm{
      get_string(value, "wanted_backend"), get_string(value, "network_policy"),
      get_bool(value, "allow_host_compat")};
}

Json to_json(const std::optional<ReadWith>& with) {
  return with ? Json{{"profile", with->profile}, {"vars", with->vars}} : Json();
}

std::optional<ReadWith> read_with_from_json(const Json& value) {
  if (!value.is_object()) {
    return std::nullopt;
  }
  return ReadWith{string_or(value, "profile", ""), string_map_or_empty(value, "vars")};
}

constexpr std::array k_states{WorkspaceState::created, WorkspaceState::started, WorkspaceState::stopped};

WorkspaceRecord current_from_json(const Json& value) {
  WorkspaceRecord record;
  record.id = get_string(value, "workspace_id");
  record.revision = get_int(value, "revision");
  record.vm = vm_from_json(member(value, "vm"));
  record.name = string_or(value, "name", "");
  record.labels = string_map_or_empty(value, "labels");
  record.checkout = string_or(value, "checkout", "");
  record.project_file = string_or(value, "project_file", "");
  record.services_file = string_or(value, "services_file", "");
  record.identity_key = string_or(value, "identity_key", "");
  record.spec = member(value, "spec");
  record.links = value_at(value, "links");
  record.spec_generation = int_or(value, "spec_generation", 0);
  record.read_with = read_with_from_json(member(value, "read_with"));
  if (const auto& costs = member(value, "action_cost_ms"); costs.is_object()) {
    for (const auto& [action, unused] : costs.items()) {
      record.action_cost_ms[action] = get_int(costs, action);
    }
  }
  record.state = enum_from(k_states, get_string(value, "state"), "state");
  record.starting = get_bool(value, "starting");
  record.maker = process_from_json(member(value, "maker"));
  record.destroyed_at = maybe_number(value, "destroyed_at");
  record.environment = get_string(value, "environment");
  record.backend = get_string(value, "backend");
  record.isolation = string_or(value, "isolation", "");
  record.execution_mode = string_or(value, "execution_mode", "");
  record.supervisor = process_from_json(member(value, "supervisor"));
  if (const auto pid = maybe_int(value, "sandbox_pid")) {
    record.sandbox_pid = static_cast<pid_t>(*pid);
  }
  record.last_error = string_or(value, "last_error", "");
  record.notes = strings_or_empty(value, "notes");
  record.generation = static_cast<int>(get_int(value, "generation"));
  record.layers = layers_from_json(value);
  record.host_directories = host_directories_from_json(value_at(value, "host_directories"));
  record.base = base_from_json(value_at(value, "base"));
  record.synced_baseline = baseline_from_json(member(value, "synced_baseline"));
  record.undo = undo_from_json(member(value, "undo"));
  record.seed = seed_from_json(value_at(value, "seed"));
  record.egress = get_string(value, "egress");
  record.mounts = mounts_from_json(member(value, "mounts")); // older records have none
  record.ports = ports_from_json(value_at(value, "ports"));
  record.secrets = strings_or_empty(value, "secrets");
  record.user = string_or(value, "user", "");
  record.workdir = string_or(value, "workdir", "/workspace");
  record.env = string_map_or_empty(value, "env");
  record.limits = limits_from_json(value_at(value, "limits"));
  record.lifecycle = lifecycle_from_json(value_at(value, "lifecycle"));
  record.created_at = get_double(value, "created_at");
  record.last_activity_at = get_double(value, "last_activity_at");
  record.expires_at = maybe_number(value, "expires_at");
  record.command_count = int_or(value, "command_count", 0);
  record.reset_count = int_or(value, "reset_count", 0);
  record.last_reset_at = maybe_number(value, "last_reset_at");
  return record;
}

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

Json to_json(const WorkspaceRecord& record) {
  return {
      {"layout_version", k_layout_version},
      {"workspace_id", record.id},
      {"revision", record.revision},
      {"vm", to_json(record.vm)},
      {"name", or_null(record.name)},
      {"labels", record.labels},
      {"checkout", or_null(record.checkout)},
      {"project_file", or_null(record.project_file)},
      {"services_file", or_null(record.services_file)},
      {"identity_key", or_null(record.identity_key)},
      {"spec", record.spec},
      {"links", record.links},
      {"spec_generation", record.spec_generation},
      {"read_with", to_json(record.read_with)},
      {"action_cost_ms", record.action_cost_ms},
      {"state", name_of(record.state)},
      {"starting", record.starting},
      {"maker", to_json(record.maker)},
      {"destroyed_at", or_null(record.destroyed_at)},
      {"environment", record.environment},
      {"backend", record.backend},
      {"isolation", record.isolation},
      {"execution_mode", record.execution_mode},
      {"supervisor", to_json(record.supervisor)},
      {"sandbox_pid", or_null(record.sandbox_pid)},
      {"last_error", or_null(record.last_error)},
      {"notes", record.notes},
      {"generation", record.generation},
      {"layers", record.layers},
      {"host_directories", host_directories_to_json(record.host_directories)},
      {"base", to_json(record.base)},
      {"synced_baseline", to_json(record.synced_baseline)},
      {"undo", to_json(record.undo)},
      {"seed", to_json(record.seed)},
      {"egress", record.egress},
      {"mounts", to_json(record.mounts)},
      {"ports", to_json(record.ports)},
      {"secrets", record.secrets},
      {"user", or_null(record.user)},
      {"workdir", record.workdir},
      {"env", record.env},
      {"limits", to_json(record.limits)},
      {"lifecycle", to_json(record.lifecycle)},
      {"created_at", record.created_at},
      {"last_activity_at", record.last_activity_at},
      {"expires_at", or_null(record.expires_at)},
      {"command_count", record.command_count},
      {"reset_count", record.reset_count},
      {"last_reset_at", or_null(record.last_reset_at)}};
}

WorkspaceRecord workspace_from_json(const Json& value) {
  const int version = check_layout_version(value, "workspace record");
  auto record = current_from_json(version < 3 ? workspace_of_version_3(value) : value);
  record.layout_version = version;
  return record;
}

} // namespace pyro::store
