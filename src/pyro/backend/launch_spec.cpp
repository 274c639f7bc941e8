#include "launch_spec.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/sha256.hpp>

#include <array>

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

constexpr std::array<std::pair<LaunchKind, std::string_view>, 3> k_kinds{
    {{LaunchKind::namespaces, "namespaces"}, {LaunchKind::host, "host"}, {LaunchKind::machine, "machine"}}};

std::string_view name_of(LaunchKind kind) {
  return std::find_if(k_kinds.begin(), k_kinds.end(), [&](const auto& known) { return known.first == kind; })
      ->second;
}

LaunchKind kind_from(const std::string& name) {
  const auto* known =
      std::find_if(k_kinds.begin(), k_kinds.end(), [&](const auto& kind) { return kind.second == name; });
  if (known == k_kinds.end()) {
    throw Error(ErrorCode::protocol, "'kind' is '{}'", name);
  }
  return known->first;
}

Json to_json(const VirtualMachine& machine) {
  Json parts = Json::array();
  for (const auto& part : machine.part_images) {
    parts.push_back({{"name", part.name}, {"path", part.path}});
  }
  return {
      {"kernel", machine.kernel},
      {"initrd", machine.initrd},
      {"kernel_digest", machine.kernel_digest},
      {"layer_images", machine.layer_images},
      {"part_images", parts},
      {"cpus", machine.cpus},
      {"memory_mib", machine.memory_mib},
      {"scratch_bytes", machine.scratch_bytes},
      {"templates_dir", machine.templates_dir},
      {"template_budget", machine.template_budget},
      {"saved", machine.saved}};
}

VirtualMachine machine_from_json(const Json& value) {
  VirtualMachine machine;
  machine.kernel = get_string(value, "kernel");
  machine.initrd = get_string(value, "initrd");
  machine.kernel_digest = get_string(value, "kernel_digest");
  machine.layer_images = get_strings(value, "layer_images");
  for (const auto& part : value_at(value, "part_images")) {
    machine.part_images.push_back({get_string(part, "name"), get_string(part, "path")});
  }
  machine.cpus = get_int(value, "cpus");
  machine.memory_mib = get_int(value, "memory_mib");
  machine.scratch_bytes = get_int(value, "scratch_bytes");
  machine.templates_dir = get_string(value, "templates_dir");
  machine.template_budget = get_int(value, "template_budget");
  machine.saved = string_or(value, "saved", "");
  return machine;
}

Json to_json(const LiveMount::Ids& ids) {
  return {{"uid", ids.uid}, {"gid", ids.gid}};
}

LiveMount::Ids ids_from_json(const Json& value) {
  return {
      static_cast<std::uint32_t>(get_int(value, "uid")), static_cast<std::uint32_t>(get_int(value, "gid"))};
}

Json to_json(const std::vector<LiveMount>& mounts) {
  Json list = Json::array();
  for (const auto& mount : mounts) {
    list.push_back(
        {{"path", mount.path},
         {"target", mount.target},
         {"writable", mount.writable},
         {"owner", to_json(mount.owner)},
         {"user", to_json(mount.user)}});
  }
  return list;
}

void validate(const VirtualMachine& machine) {
  require_absolute(machine.kernel, "the kernel");
  require_absolute(machine.initrd, "the initramfs");
  require_absolute(machine.templates_dir, "the directory of templates");
  if (!machine.saved.empty()) {
    require_absolute(machine.saved, "the kept machine");
  }
  for (const auto& image : machine.layer_images) {
    require_absolute(image, "the image of a layer");
  }
  for (const auto& part : machine.part_images) {
    require_plain_name(part.name, "a host directory");
    require_absolute(part.path, "the image of a host directory");
  }
  if (machine.layer_images.empty() || machine.cpus < 1 || machine.memory_mib < 128
      || machine.scratch_bytes < (64 << 20)) {
    throw Error(
        ErrorCode::invalid_argument,
        "a virtual machine needs layers, a processor, 128 MiB of memory and 64 MiB of disk; asked for {} "
        "layers, "
        "{} processors, {} MiB, {} bytes",
        machine.layer_images.size(), machine.cpus, machine.memory_mib, machine.scratch_bytes);
  }
}

} // namespace

Json to_json(const LaunchSpec& spec) {
  Json binds = Json::array();
  for (const auto& bind : spec.binds) {
    binds.push_back({{"path", bind.path}, {"target", bind.target}});
  }
  return {
      {"kind", name_of(spec.kind)},
      {"machine", to_json(spec.machine)},
      {"workspace_id", spec.workspace_id},
      {"workspace_name", spec.workspace_name},
      {"events_dir", spec.events_dir},
      {"binds", binds},
      {"live_mounts", to_json(spec.live_mounts)},
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
      {"disk_bytes", spec.limits.disk_bytes},
      {"disk_project", spec.disk_project},
      {"egress", spec.egress},
      {"egress_rules", spec.egress_rules},
      {"expires_at", spec.expires_at},
      {"idle_ms", spec.idle_ms},
      {"ports_elsewhere", spec.ports_elsewhere},
      {"agent_path", spec.agent_path},
      {"gateway_path", spec.gateway_path},
      {"cgroup_name", spec.cgroup_name}};
}

LaunchSpec launch_spec_from_json(const Json& value) {
  LaunchSpec spec;
  spec.kind = kind_from(get_string(value, "kind"));
  spec.machine = machine_from_json(value_at(value, "machine"));
  spec.workspace_id = get_string(value, "workspace_id");
  spec.workspace_name = string_or(value, "workspace_name", "");
  spec.events_dir = string_or(value, "events_dir", "");
  spec.hostname = get_string(value, "hostname");
  spec.runtime_dir = get_string(value, "runtime_dir");
  spec.generation_dir = get_string(value, "generation_dir");
  spec.layers_dir = get_string(value, "layers_dir");
  spec.root.layers = get_strings(value, "layers");
  spec.root.host_dirs = get_strings(value, "host_dirs");
  spec.limits.cpus = get_int(value, "cpus");
  spec.limits.memory_bytes = get_int(value, "memory_bytes");
  spec.limits.pids = get_int(value, "pids");
  spec.limits.disk_bytes = get_int(value, "disk_bytes");
  spec.disk_project = static_cast<std::uint32_t>(int_or(value, "disk_project", 0));
  spec.egress = get_bool(value, "egress");
  spec.egress_rules = get_strings(value, "egress_rules");
  for (const auto& bind : value_at(value, "binds")) {
    spec.binds.push_back({get_string(bind, "path"), get_string(bind, "target")});
  }
  for (const auto& mount : value_at(value, "live_mounts")) {
    spec.live_mounts.push_back(
        {get_string(mount, "path"), get_string(mount, "target"), get_bool(mount, "writable"),
         ids_from_json(value_at(mount, "owner")), ids_from_json(value_at(mount, "user"))});
  }
  spec.tied_to_starter = get_bool(value, "tied_to_starter");
  spec.expires_at = get_double(value, "expires_at");
  spec.idle_ms = int_or(value, "idle_ms", 0);
  spec.ports_elsewhere = bool_or(value, "ports_elsewhere", false);
  spec.agent_path = get_string(value, "agent_path");
  spec.gateway_path = get_string(value, "gateway_path");
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
  if (!spec.egress_rules.empty()) {
    require_absolute(spec.gateway_path, "gateway_path");
  }
  if (!spec.events_dir.empty()) {
    require_absolute(spec.events_dir, "events_dir");
  }
  if (spec.root.layers.empty()) {
    throw Error(ErrorCode::invalid_argument, "a sandbox needs at least one layer");
  }
  for (const auto& layer : spec.root.layers) {
    if (layer.rfind(spec.layers_dir + "/", 0) != 0 || layer.find("/../") != std::string::npos) {
      throw Error(ErrorCode::invalid_argument, "the layer '{}' is not below '{}'", layer, spec.layers_dir);
    }
  }
  if (spec.kind == LaunchKind::machine) {
    validate(spec.machine);
  }
  for (const auto& bind : spec.binds) {
    require_absolute(bind.path, "the path of a bind");
    require_absolute(bind.target, "the target of a bind");
  }
  for (const auto& mount : spec.live_mounts) {
    require_absolute(mount.path, "the path of a live mount");
    require_absolute(mount.target, "the target of a live mount");
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
