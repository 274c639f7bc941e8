#include "up_and_down.hpp"

#include "asked_plan.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/store/disk_reserve.hpp>
#include <pyro/workspace/apply/restart_services.hpp>
#include <pyro/workspace/context/context.hpp>
#include <pyro/workspace/sandbox/guest_services.hpp>
#include <pyro/workspace/sandbox/refresh_upper.hpp>
#include <pyro/workspace/sandbox/sandboxes.hpp>
#include <pyro/workspace/state/active.hpp>
#include <pyro/workspace/state/generations.hpp>
#include <pyro/workspace/state/kept_logs.hpp>
#include <pyro/workspace/state/lifecycle.hpp>
#include <pyro/workspace/state/locate.hpp>
#include <pyro/workspace/state/reset.hpp>
#include <pyro/workspace/state/service_records.hpp>

namespace pyro::workspace {

namespace {

constexpr std::chrono::milliseconds k_use_stop_grace{10'000};

/// So that nobody has to start a virtual machine again to see what was in it.
void read_last_state(const Context& context, const LockedWorkspace& workspace) {
  const auto& record = workspace.record;
  try {
    mirror_upper_before_stop(
        workspace.paths.runtime(), workspace.paths.generation(record.generation), record.host_directories,
        k_use_stop_grace);
  } catch (const Error& error) {
    context.emit("note", "workspace", fmt::format("its files stay on its disk only: {}", error.what()));
  }
}

Json stop_not_done(const LockedWorkspace& locked, bool is_running) {
  std::vector<plan::Action> actions;
  auto stop = asked_of_workspace(is_running ? plan::ActionKind::stop : plan::ActionKind::noop);
  const auto client = is_running ? backend::ControlClient::connect(locked.paths.control_socket()) : nullptr;
  for (const auto& service : client ? services_status(*client) : std::vector<protocol::ServiceStatus>()) {
    if (service.pid != 0) {
      actions.push_back(asked_of(plan::Subject::service, service.name, plan::ActionKind::stop));
      stop.after.push_back(actions.back().address);
    }
  }
  actions.push_back(std::move(stop));
  return not_done(locked.record, std::move(actions));
}

Json start_not_done(
    const Context& context, const Located& located, const LockedWorkspace& locked, bool is_stopped) {
  std::vector<plan::Action> actions;
  if (is_stopped) {
    require_active_room(context, located.id);
    actions = start_of_services(located);
  }
  auto start = asked_of_workspace(is_stopped ? plan::ActionKind::start : plan::ActionKind::noop);
  actions.insert(actions.begin(), std::move(start));
  return not_done(locked.record, std::move(actions));
}

} // namespace

Json shut_down_workspace(
    Context& context, const std::string& workspace, const Project& project, DryRun dry_run) {
  const auto began = os::now_monotonic();
  const store::LentReserve reserve(context.base);
  const auto located = locate(context, workspace, project);
  auto locked = lock_workspace(context, located.id, "stop");
  if (is_destroyed(locked.record)) {
    throw Error(ErrorCode::bad_state, "the workspace was destroyed")
        .with_hint("`pyro undo` or `pyro apply` brings it back");
  }
  const bool was_running = locked.record.state == store::WorkspaceState::started;
  if (dry_run == DryRun::yes) {
    return stop_not_done(locked, was_running);
  }
  if (was_running) {
    keep_logs(context, locked.paths, locked.record);
    read_last_state(context, locked);
  }
  stop_workspace(context, locked, k_use_stop_grace);
  std::ignore = ServiceRecords(locked.paths, locked.record).without_process({});
  return {
      {"workspace_id", located.id},
      {"name", locked.record.name},
      {"state", "stopped"},
      {"changed", was_running},
      {"duration_ms", os::took(began)}};
}

Json bring_up_workspace(
    Context& context, const std::string& workspace, const Project& project, DryRun dry_run) {
  const auto began = os::now_monotonic();
  const store::LentReserve reserve(context.base);
  const auto located = locate(context, workspace, project, HostUse::taken);
  auto locked = lock_workspace(context, located.id, "start");
  if (is_destroyed(locked.record) || locked.record.generation == 0) {
    throw Error(ErrorCode::bad_state, "the workspace was destroyed")
        .with_hint("`pyro undo` or `pyro apply` brings it back");
  }
  const bool was_stopped = locked.record.state != store::WorkspaceState::started;
  auto prepared = was_stopped ? prepare_start(context, located, locked, std::nullopt) : std::nullopt;
  if (dry_run == DryRun::yes) {
    return start_not_done(context, located, locked, was_stopped);
  }
  Json services = Json::array();
  if (was_stopped) {
    renew_expiry(locked.record);
    start_workspace(context, locked);
    services = restart_services(context, prepared, locked);
  }
  return {{"workspace_id", located.id}, {"name", locked.record.name}, {"state", "started"},
          {"changed", was_stopped},     {"services", services},       {"duration_ms", os::took(began)}};
}

} // namespace pyro::workspace
