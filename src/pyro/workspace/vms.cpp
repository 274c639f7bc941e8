#include "vms.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/crash_point.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/os/id_space.hpp>
#include <pyro/store/disk_reserve.hpp>
#include <pyro/store/gc.hpp>
#include <pyro/workspace/context/context.hpp>
#include <pyro/workspace/context/network_policy.hpp>
#include <pyro/workspace/sandbox/guest_change.hpp>
#include <pyro/workspace/sandbox/guest_exec.hpp>
#include <pyro/workspace/state/active.hpp>
#include <pyro/workspace/state/generations.hpp>
#include <pyro/workspace/state/unfinished.hpp>
#include <pyro/workspace/state/vm.hpp>

namespace pyro::workspace {

namespace {

constexpr std::chrono::milliseconds k_vm_stop_grace{10'000};

/// Images may have their working directory, most environments have no /workspace.
bool has_workdir(const Context& context, const store::WorkspaceRecord& record) {
  return os::IdSpace::current()
      .run([&] {
        const auto stack = store::Stack::of(context.layers.trees(record.layers), record.host_directories);
        return Json(store::LayeredView(stack).lookup(record.workdir).has_value());
      })
      .get<bool>();
}

/// Where its disk cannot be written on this machine, its agent does it.
void make_workdir_inside(const LockedWorkspace& vm) {
  const auto client = connect_sandbox(vm.paths.runtime(), "its first command");
  GuestChange change(*client, "", {}, "/");
  protocol::FileRecord record;
  record.kind = protocol::FileRecord::Kind::directory;
  record.path = vm.record.workdir.substr(1);
  record.mode = 0755;
  change.send(record);
  change.commit();
}

/// Environments have no /workspace; the command starts in an empty one.
void make_workdir(const LockedWorkspace& vm) {
  const auto upper = vm.paths.generation(vm.record.generation) + "/root/upper";
  os::IdSpace::current().run([&]() -> Json {
    os::make_directories(upper + vm.record.workdir, 0755);
    return nullptr;
  });
}

void start_locked(Context& context, LockedWorkspace& vm) {
  auto& record = vm.record;
  if (record.state == store::WorkspaceState::started || record.command_count > 0) {
    throw Error(
        ErrorCode::bad_state, "VM {} cannot be started from state '{}'", record.id,
        store::name_of(record.state));
  }
  const auto& wanted = *record.vm;
  const auto& backend = context.choose_backend(
      wanted.wanted_backend, backend::Isolation::sandbox,
      wanted.allow_host_compat ? HostCompat::allowed : HostCompat::refused);
  refuse_policy(backend, wanted.network_policy);
  if (backend.capabilities().virtual_machine) {
    require_usable(context, backend);
  }
  record.backend = backend.name();
  record.execution_mode = backend.execution_mode();
  record.isolation = backend.isolation() == backend::Isolation::host ? "host" : "sandbox";
  const auto capabilities = backend.capabilities();
  const bool needs_workdir =
      capabilities.own_root && record.workdir.size() > 1 && !has_workdir(context, record);
  if (needs_workdir && capabilities.upper_on_host) {
    make_workdir(vm);
  } else if (!capabilities.own_root) {
    record.user.clear(); // commands are those of who runs pyro
  }
  try {
    start_workspace(context, vm);
    if (needs_workdir && !capabilities.upper_on_host) {
      make_workdir_inside(vm);
    }
  } catch (const Error& error) {
    kill_sandbox(vm.paths.runtime());
    record.last_error = error.what();
    record.backend.clear();
    record.execution_mode.clear();
    record.starting = false;
    context.records.save(record);
    throw;
  }
}

/// Removes the VM when the command is over, or could not be run at all.
class Removal {
public:
  Removal(Context& context, std::string id) : m_context(context), m_id(std::move(id)) {}

  ~Removal() {
    try {
      now();
    } catch (const std::exception&) {
      // Its time to live or the next reap ends it.
    }
  }

  Removal(const Removal&) = delete;
  Removal& operator=(const Removal&) = delete;

  /// Fine where somebody else was quicker.
  void now() {
    const auto id = std::exchange(m_id, {});
    if (!id.empty() && m_context.records.find(id)) {
      remove_vm(m_context, lock_workspace(m_context, id, "vm_delete"));
    }
  }

private:
  Context& m_context;
  std::string m_id;
};

ExecResult exec_and_remove(
    Context& context, LockedWorkspace vm, const ExecRequest& request, const ExecStreams& streams) {
  if (vm.record.state != store::WorkspaceState::started) {
    throw Error(
        ErrorCode::bad_state, "VM {} must be in 'started' state before vm_exec{}", vm.record.id,
        vm.record.last_error.empty() ? "" : " (" + vm.record.last_error + ")")
        .with_hint("`pyro vm start` starts it");
  }
  if (vm.record.command_count > 0) {
    throw Error(ErrorCode::bad_state, "VM {} runs its one command already", vm.record.id);
  }
  vm.record.command_count = 1;
  context.records.save(vm.record);
  const auto record = vm.record;
  const auto paths = vm.paths;
  { const auto unlocked = std::move(vm.lock); } // stop and delete can come in between
  Removal removal(context, record.id);
  auto client = connect_sandbox(paths.runtime(), "vm_exec");
  auto result = run_with_streams(
      *client, guest_request(paths, record, request, streams), streams, request.poll_control);
  result.execution_mode = record.execution_mode;
  client.reset();
  os::crash_point("vm.ran");
  removal.now();
  return result;
}

enum class Lifetime {
  by_hand,
  one_call, // it goes with this process, should that be killed
};

Json make_vm(Context& context, const VmRequest& request, Lifetime lifetime) {
  context.base.prepare();
  const auto store_lock = context.use_store("vm_create");
  auto record = new_vm(context, request);
  if (lifetime == Lifetime::one_call) {
    note_maker(record);
  }
  create_within_limit(context, record);
  return describe_vm(record);
}

} // namespace

Json create_vm(Context& context, const VmRequest& request) {
  return make_vm(context, request, Lifetime::by_hand);
}

Json start_vm(Context& context, const std::string& wanted) {
  const store::LentReserve reserve(context.base);
  auto vm = lock_vm(context, wanted, "vm_start");
  refuse_expired(context, vm);
  start_locked(context, vm);
  return describe_vm(vm.record);
}

ExecResult exec_in_vm(
    Context& context, const std::string& wanted, const ExecRequest& request, const ExecStreams& streams) {
  context.base.prepare();
  auto vm = lock_vm(context, wanted, "vm_exec");
  refuse_expired(context, vm);
  return exec_and_remove(context, std::move(vm), request, streams);
}

Json stop_vm(Context& context, const std::string& wanted) {
  const store::LentReserve reserve(context.base);
  auto vm = lock_vm(context, wanted, "vm_stop");
  refuse_expired(context, vm);
  if (vm.record.state == store::WorkspaceState::created) {
    vm.record.state = store::WorkspaceState::stopped;
    context.records.save(vm.record);
  }
  stop_workspace(context, vm, k_vm_stop_grace);
  return describe_vm(vm.record);
}

Json delete_vm(Context& context, const std::string& wanted) {
  const store::LentReserve reserve(context.base);
  const auto vm = lock_vm(context, wanted, "vm_delete");
  remove_vm(context, vm);
  return {{"vm_id", vm.record.id}, {"deleted", true}};
}

Json get_vm_status(Context& context, const std::string& wanted) {
  context.base.prepare();
  const auto record = load_and_recover(context, vm_id_of(context, wanted));
  if (is_expired(record)) {
    refuse_expired(context, lock_vm(context, record.id, "vm_status"));
  }
  return describe_vm(record);
}

Json get_vm_network_info(Context& context, const std::string& wanted) {
  const auto status = get_vm_status(context, wanted);
  Json info = Json::object();
  for (const auto* key : {"vm_id", "network_enabled", "guest_ip", "network_policy"}) {
    info[key] = status[key];
  }
  return info;
}

Json list_vms(Context& context) {
  context.base.prepare();
  std::vector<std::string> damaged;
  const auto all = context.records.list(&damaged);
  remove_unfinished_workspaces(context, all);
  if (!damaged.empty()) {
    remove_unrecorded(context);
  }
  Json vms = Json::array();
  for (const auto& record : all) {
    const auto now =
        is_vm(record) && !is_abandoned(record) ? recovered_if_there(context, record) : std::nullopt;
    if (now) {
      vms.push_back(describe_vm(*now));
    }
  }
  return {{"count", vms.size()}, {"vms", vms}};
}

Json reap_vms(Context& context) {
  const store::LentReserve reserve(context.base);
  Json removed = Json::array();
  for (const auto& record : context.records.list()) {
    if (is_vm(record) && is_expired(record) && context.records.find(record.id)) {
      remove_vm(context, lock_workspace(context, record.id, "vm_reap"));
      removed.push_back(record.id);
    }
  }
  return {{"count", removed.size()}, {"vms", removed}};
}

ExecResult
run_vm(Context& context, const VmRequest& request, const ExecRequest& exec, const ExecStreams& streams) {
  const auto id = get_string(make_vm(context, request, Lifetime::one_call), "vm_id");
  Removal removal(context, id);
  context.check_interrupted();
  start_vm(context, id);
  return exec_in_vm(context, id, exec, streams);
}

} // namespace pyro::workspace
