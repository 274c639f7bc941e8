#include "observed.hpp"

#include <array>

namespace pyro::plan {

namespace {

constexpr std::array k_states{WorkspaceState::absent, WorkspaceState::started, WorkspaceState::stopped};

WorkspaceState state_from(const std::string& text) {
  for (const auto state : k_states) {
    if (name_of(state) == text) {
      return state;
    }
  }
  throw Error(ErrorCode::protocol, "'{}' is no state of a workspace", text);
}

spec::Isolation isolation_from(const std::string& text) {
  for (const auto isolation : {spec::Isolation::host, spec::Isolation::sandbox, spec::Isolation::vm}) {
    if (spec::name_of(isolation) == text) {
      return isolation;
    }
  }
  throw Error(ErrorCode::protocol, "'{}' is no kind of isolation", text);
}

char change_from(const Json& value) {
  const auto change = get_string(value, "change");
  if (change.size() != 1 || std::string_view("AMDT").find(change[0]) == std::string_view::npos) {
    throw Error(ErrorCode::protocol, "'{}' is no kind of change", change);
  }
  return change[0];
}

std::optional<bool> maybe_bool(const Json& value, const char* key) {
  const auto found = value.find(key);
  return found != value.end() && found->is_boolean() ? std::optional(found->get<bool>()) : std::nullopt;
}

std::map<std::string, std::int64_t> numbers_from(const Json& map) {
  std::map<std::string, std::int64_t> numbers;
  if (map.is_object()) {
    for (const auto& [name, unused] : map.items()) {
      numbers[name] = get_int(map, name);
    }
  }
  return numbers;
}

DriftEntry drift_from(const Json& value) {
  DriftEntry entry{get_string(value, "path"), change_from(value), string_or(value, "cause", "")};
  entry.in_git = maybe_bool(value, "in_git");
  return entry;
}

FileChanges file_changes_from(const Json& value) {
  FileChanges changes;
  changes.modified = static_cast<std::size_t>(int_or(value, "modified", 0));
  changes.added = static_cast<std::size_t>(int_or(value, "added", 0));
  changes.deleted = static_cast<std::size_t>(int_or(value, "deleted", 0));
  const auto files = value.find("named");
  for (const auto& file : files == value.end() ? Json::array() : *files) {
    changes.named.push_back({get_string(file, "path"), change_from(file), maybe_bool(file, "in_git")});
  }
  return changes;
}

const Json& member_or_null(const Json& object, const char* key) {
  static const Json k_null;
  const auto found = object.find(key);
  return found == object.end() ? k_null : *found;
}

template <typename Visit>
void each(const Json& object, const char* key, const Visit& visit) {
  const Json& list = member_or_null(object, key);
  if (!list.is_null() && !list.is_array()) {
    throw Error(ErrorCode::protocol, "'{}' must be a list, found {}", key, list.type_name());
  }
  for (const auto& item : list) {
    visit(item);
  }
}

} // namespace

std::string_view name_of(WorkspaceState state) {
  switch (state) {
  case WorkspaceState::absent:
    return "absent";
  case WorkspaceState::started:
    return "started";
  case WorkspaceState::stopped:
    return "stopped";
  }
  return "?";
}

std::string publication_of(const std::string& service, const spec::Port& port) {
  return fmt::format(
      "{} {}:{}:{}", service, port.address, port.host_port ? std::to_string(*port.host_port) : "", port.port);
}

namespace {

template <typename File>
Json file_json(const File& file) {
  Json value{{"path", file.path}, {"change", std::string(1, file.change)}};
  if (file.in_git) {
    value["in_git"] = *file.in_git;
  }
  return value;
}

} // namespace

Json to_json(const DriftEntry& entry) {
  auto value = file_json(entry);
  value["cause"] = entry.cause;
  return value;
}

Json to_json(const FileChanges& changes) {
  Json named = Json::array();
  for (const auto& file : changes.named) {
    named.push_back(file_json(file));
  }
  return {
      {"modified", changes.modified},
      {"added", changes.added},
      {"deleted", changes.deleted},
      {"named", std::move(named)}};
}

Json to_json(const Observed& observed) {
  Json drift = Json::array();
  for (const auto& entry : observed.drift) {
    drift.push_back(to_json(entry));
  }
  Json file_changes = Json::object();
  for (const auto& [address, changes] : observed.file_changes) {
    file_changes[address] = to_json(changes);
  }
  return {
      {"exists", observed.exists},
      {"workspace_id", observed.workspace_id},
      {"earlier_names", observed.earlier_names},
      {"generation", observed.generation},
      {"state", name_of(observed.state)},
      {"backend", observed.backend},
      {"isolation", spec::name_of(observed.isolation)},
      {"capabilities", observed.capabilities},
      {"applied_spec", observed.applied_spec},
      {"applied_links", to_json(observed.applied_links)},
      {"cached_keys", observed.cached_keys},
      {"build_all", observed.build_all},
      {"base_key", observed.base_key},
      {"service_states", observed.service_states},
      {"service_digests", observed.service_digests},
      {"published_ports", observed.published_ports ? Json(*observed.published_ports) : Json()},
      {"blocked_ports", observed.blocked_ports},
      {"changed_secrets", observed.changed_secrets},
      {"missing_secrets", observed.missing_secrets},
      {"drift", std::move(drift)},
      {"is_drift_known", observed.is_drift_known},
      {"asked_for", observed.asked_for},
      {"snapshots", observed.snapshots},
      {"step_cost_ms", observed.step_cost_ms},
      {"action_cost_ms", observed.action_cost_ms},
      {"file_changes", std::move(file_changes)},
      {"applied_profile", observed.applied_profile ? Json(*observed.applied_profile) : Json()},
      {"applied_vars", observed.applied_vars}};
}

Observed observed_from_json(const Json& value) {
  Observed observed;
  observed.exists = bool_or(value, "exists", false);
  observed.workspace_id = string_or(value, "workspace_id", "");
  observed.earlier_names = strings_or_empty(value, "earlier_names");
  observed.generation = static_cast<std::uint64_t>(int_or(value, "generation", 0));
  observed.state = state_from(string_or(value, "state", "absent"));
  observed.backend = string_or(value, "backend", "");
  observed.isolation = isolation_from(string_or(value, "isolation", "sandbox"));
  for (auto& name : strings_or_empty(value, "capabilities")) {
    observed.capabilities.insert(std::move(name));
  }
  observed.applied_spec = member_or_null(value, "applied_spec");
  each(value, "applied_links", [&](const Json& item) {
    observed.applied_links.push_back(link_from_json(item));
  });
  for (auto& key : strings_or_empty(value, "cached_keys")) {
    observed.cached_keys.insert(std::move(key));
  }
  observed.build_all = bool_or(value, "build_all", false);
  observed.base_key = string_or(value, "base_key", "");
  observed.service_states = string_map_or_empty(value, "service_states");
  observed.service_digests = string_map_or_empty(value, "service_digests");
  if (member_or_null(value, "published_ports").is_array()) {
    const auto list = strings_or_empty(value, "published_ports");
    observed.published_ports.emplace(list.begin(), list.end());
  }
  observed.blocked_ports = string_map_or_empty(value, "blocked_ports");
  for (auto& name : strings_or_empty(value, "changed_secrets")) {
    observed.changed_secrets.insert(std::move(name));
  }
  observed.missing_secrets = string_map_or_empty(value, "missing_secrets");
  each(value, "drift", [&](const Json& item) { observed.drift.push_back(drift_from(item)); });
  observed.is_drift_known = bool_or(value, "is_drift_known", true);
  for (auto& address : strings_or_empty(value, "asked_for")) {
    observed.asked_for.insert(std::move(address));
  }
  observed.snapshots = string_map_or_empty(value, "snapshots");
  observed.step_cost_ms = numbers_from(member_or_null(value, "step_cost_ms"));
  observed.action_cost_ms = numbers_from(member_or_null(value, "action_cost_ms"));
  if (const Json& changes = member_or_null(value, "file_changes"); changes.is_object()) {
    for (const auto& [address, files] : changes.items()) {
      observed.file_changes[address] = file_changes_from(files);
    }
  }
  if (const Json& profile = member_or_null(value, "applied_profile"); profile.is_string()) {
    observed.applied_profile = profile.get<std::string>();
  }
  observed.applied_vars = string_map_or_empty(value, "applied_vars");
  return observed;
}

} // namespace pyro::plan
