#include "vm.hpp"

#include "describe.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/random.hpp>
#include <pyro/workspace/context/limits.hpp>
#include <pyro/workspace/context/network_policy.hpp>

namespace pyro::workspace {

store::WorkspaceRecord new_vm(Context& context, const VmRequest& request) {
  check_size({request.vcpu_count, request.mem_mib, request.ttl_seconds});
  check_network_policy(request.network_policy);
  if (request.backend != "auto") {
    std::ignore = context.backend_named(request.backend);
  }
  const auto environment = context.environments.resolve(
      request.environment, os::working_directory(), environment::RegistryAccess::agreed);
  store::WorkspaceRecord record;
  record.id = os::random_hex(6);
  record.name = request.name.empty() ? "vm-" + record.id.substr(0, 8) : request.name;
  record.vm = store::OneShotVm{request.backend, request.network_policy, request.allow_host_compat};
  record.lifecycle.ttl_ms = request.ttl_seconds * 1000;
  record.environment = request.environment;
  record.isolation = request.allow_host_compat ? "host" : "sandbox";
  record.generation = 1;
  record.layers = environment.layers;
  record.host_directories = environment.host_directories();
  record.egress = request.network_policy == "egress" ? "all" : "none";
  record.user = environment.default_user;
  record.workdir = environment.workdir;
  record.env = environment.env;
  record.limits.vcpu_count = request.vcpu_count;
  record.limits.mem_mib = request.mem_mib;
  record.created_at = os::now_epoch();
  record.last_activity_at = record.created_at;
  record.expires_at = record.created_at + static_cast<double>(request.ttl_seconds);
  return record;
}

std::string vm_id_of(const Context& context, const std::string& wanted) {
  if (wanted.empty()) {
    throw Error(ErrorCode::invalid_argument, "vm_id must not be empty");
  }
  const auto id = find_vm(context, wanted);
  if (!id) {
    throw Error(ErrorCode::invalid_argument, "VM {} does not exist", wanted)
        .with_hint("`pyro vm list` lists what there is");
  }
  return *id;
}

LockedWorkspace lock_vm(Context& context, const std::string& wanted, const std::string& operation) {
  return lock_workspace(context, vm_id_of(context, wanted), operation);
}

bool is_expired(const store::WorkspaceRecord& record) {
  return record.expires_at && *record.expires_at <= os::now_epoch();
}

void remove_vm(const Context& context, const LockedWorkspace& vm) {
  kill_sandbox(vm.paths.runtime());
  remove_workspace(context, vm.paths);
}

void refuse_expired(const Context& context, const LockedWorkspace& vm) {
  if (is_expired(vm.record)) {
    remove_vm(context, vm);
    throw Error(ErrorCode::bad_state, "VM {} expired and was automatically deleted", vm.record.id);
  }
}

Json describe_vm(const store::WorkspaceRecord& record) {
  const bool started = record.state == store::WorkspaceState::started;
  Json document{
      {"vm_id", record.id},
      {"name", record.name},
      {"environment", record.environment},
      {"state", store::name_of(record.state)},
      {"backend", record.backend.empty() ? record.vm->wanted_backend : record.backend},
      {"execution_mode", or_null(record.execution_mode)},
      {"vcpu_count", record.limits.vcpu_count},
      {"mem_mib", record.limits.mem_mib},
      {"ttl_seconds", record.lifecycle.ttl_ms / 1000},
      {"network_policy", record.vm->network_policy.empty() ? "off" : record.vm->network_policy},
      {"created_at", record.created_at},
      {"expires_at", record.expires_at ? Json(*record.expires_at) : Json()},
      {"sandbox_pid", started && record.sandbox_pid ? Json(*record.sandbox_pid) : Json()},
      {"last_error", record.last_error},
      {"notes", record.notes}};
  document.update(describe_network(record));
  return document;
}

} // namespace pyro::workspace
