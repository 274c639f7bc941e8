#include "failed_step.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/atomic_file.hpp>
#include <pyro/os/directory.hpp>

#include <filesystem>

namespace pyro::workspace {

namespace {

namespace fs = std::filesystem;

std::string directory_of(const Context& context) {
  return context.base.root() + "/failed";
}

Json to_json(const FailedStep& step) {
  const auto& spec = step.sandbox.spec;
  Json binds = Json::array();
  for (const auto& bind : spec.binds) {
    binds.push_back({{"path", bind.path}, {"target", bind.target}});
  }
  return {
      {"address", step.address},
      {"backend", step.backend},
      {"user", step.user},
      {"workdir", step.workdir},
      {"env", step.env},
      {"secrets", step.secrets},
      {"layers", step.sandbox.layers},
      {"host_directories", store::host_directories_to_json(step.sandbox.host_directories)},
      {"workspace_id", spec.workspace_id},
      {"hostname", spec.hostname},
      {"egress", spec.egress},
      {"egress_rules", spec.egress_rules},
      {"binds", binds},
      {"limits",
       {{"cpus", spec.limits.cpus},
        {"memory", spec.limits.memory_bytes},
        {"pids", spec.limits.pids},
        {"disk", spec.limits.disk_bytes}}}};
}

FailedStep from_json(const Json& value) {
  FailedStep step;
  step.address = get_string(value, "address");
  step.backend = get_string(value, "backend");
  step.user = get_string(value, "user");
  step.workdir = get_string(value, "workdir");
  step.env = string_map_or_empty(value, "env");
  step.secrets = get_strings(value, "secrets");
  step.sandbox.layers = get_strings(value, "layers");
  step.sandbox.host_directories = store::host_directories_from_json(value_at(value, "host_directories"));
  auto& spec = step.sandbox.spec;
  spec.workspace_id = get_string(value, "workspace_id");
  spec.hostname = get_string(value, "hostname");
  spec.egress = get_bool(value, "egress");
  spec.egress_rules = strings_or_empty(value, "egress_rules");
  for (const auto& bind : value_at(value, "binds")) {
    spec.binds.push_back({get_string(bind, "path"), get_string(bind, "target")});
  }
  const auto& limits = value_at(value, "limits");
  spec.limits = {
      get_int(limits, "cpus"), get_int(limits, "memory"), get_int(limits, "pids"), get_int(limits, "disk")};
  return step;
}

} // namespace

FailedStepRoom::FailedStepRoom(const Context& context, std::string identity)
    : m_context(context), m_identity(std::move(identity)), m_path(directory_of(context) + "/" + m_identity) {
}

os::ExclusiveLock FailedStepRoom::lock(const std::string& operation) const {
  os::make_directories(directory_of(m_context));
  return {
      m_path + ".lock", operation, m_context.settings.lock_timeout, m_context.tell_waiting("failed step")};
}

void FailedStepRoom::keep(const std::string& generation, const FailedStep& step) const {
  os::make_directories(directory_of(m_context));
  const auto locked = os::ExclusiveLock::try_lock(m_path + ".lock", "apply");
  if (!locked) {
    return;
  }
  remove();
  os::make_directories(runtime());
  fs::rename(generation, this->generation());
  os::write_json_atomically(m_path + "/step.json", to_json(step), os::Durable::no);
}

void FailedStepRoom::forget() const {
  if (!os::exists(m_path)) {
    return;
  }
  if (const auto locked = os::ExclusiveLock::try_lock(m_path + ".lock", "apply")) {
    remove();
  }
}

void FailedStepRoom::remove() const {
  if (!os::exists(m_path)) {
    return;
  }
  kill_sandbox(runtime());
  remove_generations(m_context, {generation()}, Detached::no);
  remove_trees({m_path}, Detached::no);
}

FailedStep FailedStepRoom::read() const {
  const auto text = os::maybe_read_file(m_path + "/step.json", 1 << 20);
  if (!text) {
    throw Error(ErrorCode::not_found, "no failed step of this file is kept")
        .with_hint("the last apply has failed in no step, or it was removed by destroy or prune");
  }
  return from_json(parse_json(*text, "step.json"));
}

void forget_failed_steps(const Context& context) {
  if (!os::is_directory(directory_of(context))) {
    return;
  }
  for (const auto& entry : fs::directory_iterator(directory_of(context))) {
    if (entry.is_directory()) {
      FailedStepRoom(context, entry.path().filename().string()).forget();
      context.emit("note", "", fmt::format("removed what a failed step had left: {}", entry.path().string()));
    }
  }
}

} // namespace pyro::workspace
