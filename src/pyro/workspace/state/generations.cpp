#include "generations.hpp"

#include "active.hpp"
#include "disk_reserve.hpp"
#include "history.hpp"
#include "lifecycle.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/units.hpp>
#include <pyro/os/crash_point.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/spec/spec.hpp>
#include <pyro/workspace/context/live_mounts.hpp>
#include <pyro/workspace/context/network_policy.hpp>
#include <pyro/workspace/context/secrets.hpp>
#include <pyro/workspace/sandbox/launch_limits.hpp>

namespace pyro::workspace {

namespace {

const backend::Backend& backend_of(const Context& context, const store::WorkspaceRecord& record) {
  return context.backend_named(record.backend);
}

/// What earlier sandboxes were given may lie in files that the new one has.
void hand_on_secrets(const LockedWorkspace& workspace) {
  if (!workspace.secrets.empty()) {
    note_secrets(*connect_sandbox(workspace.paths.runtime(), "secrets"), workspace.secrets);
  }
}

using LiveMounts = std::vector<backend::LiveMount>;

backend::Launched launch(
    Context& context, LockedWorkspace& workspace, int generation, const store::LayerStack& stack,
    const LiveMounts& mounts, const std::string& saved = {}) {
  auto& record = workspace.record;
  start_within_limit(context, record);
  SandboxRequest request;
  auto& spec = request.spec;
  spec.workspace_id = record.id;
  spec.workspace_name = record.name;
  spec.events_dir = context.base.events();
  spec.hostname = record.name;
  spec.runtime_dir = workspace.paths.runtime();
  spec.generation_dir = workspace.paths.generation(generation);
  spec.limits = launch_limits(record);
  spec.live_mounts = mounts;
  set_egress(spec, spec::egress_from_text(record.egress));
  spec.expires_at = record.expires_at.value_or(0);
  spec.idle_ms = record.lifecycle.idle_ms;
  spec.ports_elsewhere = context.settings.ports_elsewhere;
  request.layers = stack.layers;
  request.host_directories = stack.host_directories;
  request.saved = saved;
  auto launched = start_sandbox(context, backend_of(context, record), request);
  try {
    hand_on_secrets(workspace);
    deliver_kept_secrets(workspace.paths, record.user);
  } catch (const Error&) {
    kill_sandbox(workspace.paths.runtime());
    throw;
  }
  return launched;
}

/// nullopt: it is of no use.
std::optional<backend::Launched> launch_kept(
    Context& context, LockedWorkspace& workspace, int generation, const store::LayerStack& stack,
    const LiveMounts& mounts, const KeptMemory& memory) {
  try {
    return launch(
        context, workspace, generation, {memory.layers, stack.host_directories}, mounts, memory.directory);
  } catch (const Error& error) {
    context.emit(
        "note", "workspace",
        fmt::format("its kept memory is of no use ({}): starting anew", error.message()));
    kill_sandbox(workspace.paths.runtime());
    remove_trees({memory.directory, workspace.paths.generation(generation)}, Detached::no);
    return std::nullopt;
  }
}

void note_started(store::WorkspaceRecord& record, const backend::Launched& launched) {
  record.state = store::WorkspaceState::started;
  record.supervisor = os::process_id_of(launched.supervisor_pid);
  record.sandbox_pid = launched.sandbox_pid;
  record.last_error.clear();
  record.last_activity_at = os::now_epoch();
  record.notes = launched.notes;
  record.destroyed_at.reset();
  record.starting = false;
}

void note_stopped(store::WorkspaceRecord& record) {
  record.state = store::WorkspaceState::stopped;
  record.supervisor.reset();
  record.sandbox_pid.reset();
  record.starting = false;
}

} // namespace

void remember_secrets(const Context& context, LockedWorkspace& workspace) {
  try {
    const auto notes = delivered_secrets_if_any(workspace.paths);
    if (notes) { // older than what is there for the next one by now
      workspace.secrets.insert(workspace.secrets.begin(), notes->begin(), notes->end());
    }
  } catch (const Error& error) {
    if (error.code() == ErrorCode::interrupted) {
      throw;
    }
    context.emit("note", "workspace", fmt::format("its old secrets are not known: {}", error.message()));
  }
}

int next_generation(const store::WorkspacePaths& paths, const store::WorkspaceRecord& record) {
  int highest = record.generation;
  for (const auto& name : os::list_directory(paths.generations())) {
    highest = std::max(highest, std::atoi(name.c_str()));
  }
  return highest + 1;
}

void stop_workspace(Context& context, LockedWorkspace& workspace, std::chrono::milliseconds grace) {
  auto& record = workspace.record;
  if (record.state != store::WorkspaceState::started) {
    return;
  }
  if (grace.count() > 0) {
    if (auto client = backend::ControlClient::connect(workspace.paths.control_socket())) {
      try {
        client->call("/stop", {{"grace_ms", grace.count()}}, grace + std::chrono::seconds(10));
      } catch (const Error& error) {
        context.emit(
            "note", "workspace", fmt::format("stopping nicely failed ({}); killing", error.message()));
      }
    }
  }
  os::crash_point("stop.asked");
  kill_sandbox(workspace.paths.runtime());
  note_stopped(record);
  with_disk_reserve(context, [&] { context.records.save(record); });
}

void start_workspace(Context& context, LockedWorkspace& workspace) {
  auto& record = workspace.record;
  const store::LayerStack stack{record.layers, record.host_directories};
  const auto mounts = live_mounts_of(context, record, stack);
  kill_sandbox(workspace.paths.runtime());
  const auto launched = launch(context, workspace, record.generation, stack, mounts);
  note_started(record, launched);
  context.records.save(record);
}

bool switch_generation(
    Context& context, LockedWorkspace& workspace, const std::string& operation,
    const store::LayerStack& stack, int existing, KeepUndo keep_undo, const std::string& reason,
    const std::function<void(store::WorkspaceRecord&)>& change, const std::optional<KeptMemory>& memory) {
  auto& record = workspace.record;
  std::ignore = context.layers.trees(stack.layers); // one that is gone is found while all still runs
  const auto mounts = live_mounts_of(context, record, stack); // and so is a directory of this machine
  const int target = existing > 0 ? existing : next_generation(workspace.paths, record);
  auto journal =
      store::Journal::begin(workspace.paths.journal(), operation, {{"generation", target}}, os::Durable::no);
  os::crash_point("switch.journal");
  std::optional<store::UndoEntry> undo;
  const bool is_there = record.generation > 0 && os::exists(workspace.paths.generation(record.generation));
  if (is_there && keep_undo == KeepUndo::yes && record.lifecycle.undo_ms > 0) {
    undo = undo_entry(record, reason, record.lifecycle.undo_ms);
  }
  remember_secrets(context, workspace);
  // An existing writable layer must not be mounted twice, so its last sandbox has to be gone altogether.
  kill_sandbox(workspace.paths.runtime(), existing > 0 ? Teardown::awaited : Teardown::left_behind);
  os::crash_point("switch.stopped");
  backend::Launched launched;
  bool went_on = false;
  try {
    const auto kept = memory ? launch_kept(context, workspace, target, stack, mounts, *memory) : std::nullopt;
    went_on = kept.has_value();
    launched = kept ? *kept : launch(context, workspace, target, stack, mounts);
  } catch (Error& error) {
    note_stopped(record);
    record.last_error = error.what();
    context.records.save(record);
    kill_sandbox(workspace.paths.runtime());
    if (existing == 0) {
      remove_generations(context, {workspace.paths.generation(target)}, Detached::no);
    }
    journal.commit();
    throw;
  }
  os::crash_point("switch.launched");
  if (is_there && !mounts.empty()) {
    context.emit("note", "mounts", live_mounts_kept(record.mounts));
  }
  const auto displaced = record.undo;
  const int left = record.generation;
  record.generation = target;
  record.layers = went_on ? memory->layers : stack.layers;
  record.host_directories = stack.host_directories;
  record.undo = undo;
  if (displaced && displaced->generation == existing) {
    record.base = displaced->base; // so that a plan after an undo tells the truth
  }
  if (change) {
    change(record);
  }
  if (went_on && record.layers != stack.layers) {
    record.base.layers = stack.layers; // its writable layer has the rest of the snapshot
  }
  note_started(record, launched);
  context.records.save(record);
  os::crash_point("switch.recorded");
  if (forgets_history(operation)) {
    clear_history(workspace.paths, record, operation);
  }
  journal.commit();
  std::vector<std::string> unused;
  if (displaced && displaced->generation != target) {
    unused.push_back(workspace.paths.generation(displaced->generation));
  }
  if (!undo && left > 0 && left != target) { // undo of a destroy stays where it is
    unused.push_back(workspace.paths.generation(left));
  }
  clean_up_later(context, workspace.paths.runtime(), unused);
  return went_on;
}

} // namespace pyro::workspace
