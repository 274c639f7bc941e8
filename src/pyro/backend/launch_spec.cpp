#include "launch_spec.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/sha256.hpp>

namespace pyro::backend {

namespace {

void require_absolute(const std::string& path, const char* what) {
  if (path.empty() || path.front() != '/' || path.find('\0') != std::string::npos) {
    throw Error(ErrorCode::invalid_argument, "{} must be an absolute path, found '{}'", what, path);
  }
}

bool is_plain_name(const std::string& name) {
  return !name.empty() && name.size() <= 64 && name != "." && name != ".." && name.front() != '-'
         && std::all_of(name.begin(), name.end(), [](unsigned char letter) {
              return std::isalnum(letter) || letter == '-' || letter == '_' || letter == '.';
            });
}

void require_plain_name(const std::string& name, const char* what) {
  if (!is_plain_name(name)) {
    throw Error(ErrorCode::invalid_argument, "{} must be a plain name, found '{}'", what, name);
  }
}

} // namespace

Json to_json(const LaunchSpec& spec) {
  Json binds = Json::array();
  for (const auto& bind : spec.binds) {
    binds.push_back({{"path", bind.path}, {"target", bind.target}});
  }
  return {
      {"kind", spec.kind == LaunchKind::host ? "host" : "namespaces"},
      {"workspace_id", spec.workspace_id},
      {"binds", binds},
      {"tied_to_starter", spec.tied_to_starter},
      {"hostname", spec.hostname},
      {"runtime_dir", spec.runtime_dir},
      {"generation_dir", spec.generation_dir},
      {"layers_dir", spec.layers_dir},
      {"layers", spec.root.layers},
      {"host_dirs", spec.root.host_dirs},
      {"cpus", spec.limits.cpus},
      {"memory_bytes", spec.limits.memory_bytes},
      {"pids", spec.limits.pids},
      {"egress", spec.egress},
      {"expires_at", spec.expires_at},
      {"idle_ms", spec.idle_ms},
      {"agent_path", spec.agent_path},
      {"cgroup_name", spec.cgroup_name}};
}

LaunchSpec launch_spec_from_json(const Json& value) {
  LaunchSpec spec;
  const auto kind = get_string(value, "kind");
  if (kind != "host" && kind != "namespaces") {
    throw Error(ErrorCode::protocol, "'kind' is '{}'", kind);
  }
  spec.kind = kind == "host" ? LaunchKind::host : LaunchKind::namespaces;
  spec.workspace_id = get_string(value, "workspace_id");
  spec.hostname = get_string(value, "hostname");
  spec.runtime_dir = get_string(value, "runtime_dir");
  spec.generation_dir = get_string(value, "generation_dir");
  spec.layers_dir = get_string(value, "layers_dir");
  spec.root.layers = get_strings(value, "layers");
  spec.root.host_dirs = get_strings(value, "host_dirs");
  spec.limits.cpus = get_int(value, "cpus");
  spec.limits.memory_bytes = get_int(value, "memory_bytes");
  spec.limits.pids = get_int(value, "pids");
  spec.egress = get_bool(value, "egress");
  for (const auto& bind : value_at(value, "binds")) {
    spec.binds.push_back({get_string(bind, "path"), get_string(bind, "target")});
  }
  spec.tied_to_starter = get_bool(value, "tied_to_starter");
  spec.expires_at = get_double(value, "expires_at");
  spec.idle_ms = int_or(value, "idle_ms", 0);
  spec.agent_path = get_string(value, "agent_path");
  spec.cgroup_name = get_string(value, "cgroup_name");
  return spec;
}

void validate(const LaunchSpec& spec) {
  require_plain_name(spec.workspace_id, "workspace_id");
  require_plain_name(spec.hostname, "hostname");
  require_plain_name(spec.cgroup_name, "cgroup_name");
  require_absolute(spec.runtime_dir, "runtime_dir");
  require_absolute(spec.generation_dir, "generation_dir");
  require_absolute(spec.layers_dir, "layers_dir");
  require_absolute(spec.agent_path, "agent_path");
  if (spec.root.layers.empty()) {
    throw Error(ErrorCode::invalid_argument, "a sandbox needs at least one layer");
  }
  for (const auto& layer : spec.root.layers) {
    if (layer.rfind(spec.layers_dir + "/", 0) != 0 || layer.find("/../") != std::string::npos) {
      throw Error(ErrorCode::invalid_argument, "the layer '{}' is not below '{}'", layer, spec.layers_dir);
    }
  }
  for (const auto& bind : spec.binds) {
    require_absolute(bind.path, "the path of a bind");
    require_absolute(bind.target, "the target of a bind");
  }
  for (const auto& directory : spec.root.host_dirs) {
    require_plain_name(directory, "a host directory");
  }
}

std::string machine_id_of(const LaunchSpec& spec) {
  return spec.tied_to_starter
             ? ""
             : Sha256{}.field("pyro machine id").field(spec.workspace_id).finish().substr(0, 32);
}

std::vector<std::string> parts_of(const RootStack& root) {
  std::vector<std::string> parts{"root"};
  parts.insert(parts.end(), root.host_dirs.begin(), root.host_dirs.end());
  return parts;
}

Json to_json(const Launched& launched) {
  return {
      {"supervisor_pid", launched.supervisor_pid},
      {"sandbox_pid", launched.sandbox_pid},
      {"notes", launched.notes},
      {"timings", launched.timings}};
}

Launched launched_from_json(const Json& value) {
  Launched launched;
  launched.supervisor_pid = static_cast<int>(get_int(value, "supervisor_pid"));
  launched.sandbox_pid = static_cast<int>(get_int(value, "sandbox_pid"));
  launched.notes = get_strings(value, "notes");
  launched.timings = value_at(value, "timings");
  return launched;
}

} // namespace pyro::backend
