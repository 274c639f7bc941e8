#include "service_control.hpp"

#include "asked_plan.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/os/file_lock.hpp>
#include <pyro/protocol/requests.hpp>
#include <pyro/workspace/context/context.hpp>
#include <pyro/workspace/sandbox/delivered_secrets.hpp>
#include <pyro/workspace/sandbox/guest_services.hpp>
#include <pyro/workspace/state/find_and_lock.hpp>
#include <pyro/workspace/state/locate.hpp>

#include <algorithm>
#include <set>
#include <thread>
#include <unistd.h>

namespace pyro::workspace {

namespace {

/// The names themselves, or those of all services; throws Error(not_found) for one that is not there.
std::vector<std::string>
chosen(const std::vector<protocol::ServiceStatus>& services, const std::vector<std::string>& wanted) {
  std::vector<std::string> known;
  for (const auto& status : services) {
    known.push_back(status.name);
  }
  for (const auto& name : wanted) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      throw Error(ErrorCode::not_found, "there is no service '{}' in this workspace", name)
          .with_hint(
              known.empty() ? "it has no services" : fmt::format("its services: {}", fmt::join(known, ", ")));
    }
  }
  return wanted.empty() ? known : wanted;
}

Json waited_for(
    const Context& context, const Located& located, Running& running, const std::vector<std::string>& names) {
  const store::WorkspacePaths paths(context.base, located.id);
  Json list = Json::array();
  for (const auto& status : wait_for_services(
           context, *running.client, located.declared.value_or(spec::Spec{}), names,
           redactor_of(paths, running.record))) {
    list.push_back(protocol::to_json(status));
  }
  return list;
}

/// The state of those services now.
Json shown(
    const Context& context, const Located& located, Running& running, const std::vector<std::string>& names) {
  const auto redactor = redactor_of(store::WorkspacePaths(context.base, located.id), running.record);
  Json list = Json::array();
  for (auto& status : services_status(*running.client)) {
    if (std::find(names.begin(), names.end(), status.name) != names.end()) {
      list.push_back(protocol::to_json(redacted(std::move(status), redactor)));
    }
  }
  return list;
}

Json answer(const Running& running, Json services, std::chrono::milliseconds began) {
  return {
      {"workspace_id", running.record.id},
      {"name", running.record.name},
      {"state", "started"},
      {"services", std::move(services)},
      {"duration_ms", os::took(began)}};
}

/// With all that asked to be restarted with these, and those with them in turn.
std::set<std::string> with_dependents(
    const Json& declared, const std::vector<protocol::ServiceStatus>& services,
    const std::vector<std::string>& names) {
  std::set<std::string> affected(names.begin(), names.end());
  for (std::size_t before = 0; before != affected.size();) {
    before = affected.size();
    for (const auto& service : services) {
      const auto definition = declared.value(service.name, Json::object());
      const auto dependencies = definition.value("depends_on", Json::object());
      for (const auto& [other, how] : dependencies.items()) {
        if (affected.contains(other) && bool_or(how, "restart", false)) {
          affected.insert(service.name);
        }
      }
    }
  }
  return affected;
}

/// As the agent has it: it has a process, or will have one again after a pause.
bool has_or_awaits_process(const protocol::ServiceStatus& service) {
  return service.pid != 0 || service.state == protocol::ServiceState::starting;
}

/// What the agent would do: of those that were not named, it restarts the ones that are up.
Json restart_not_done(
    const store::WorkspaceRecord& record, const std::vector<protocol::ServiceStatus>& services,
    const std::vector<std::string>& names) {
  const auto declared =
      record.spec.is_object() ? record.spec.value("services", Json::object()) : Json::object();
  const auto affected = with_dependents(declared, services, names);
  std::vector<plan::Action> actions;
  for (const auto& service : services) {
    const bool is_named = std::find(names.begin(), names.end(), service.name) != names.end();
    if (is_named || (affected.contains(service.name) && has_or_awaits_process(service))) {
      actions.push_back(asked_of(plan::Subject::service, service.name, plan::ActionKind::restart));
    }
  }
  return not_done(record, std::move(actions));
}

/// Until no other process holds the lock: an apply, say, which has not started everything yet.
void wait_until_free(const Context& context, const std::string& lock) {
  constexpr std::chrono::milliseconds k_pause{50};
  const auto tell = context.tell_waiting("workspace");
  for (bool is_told = false;; is_told = true) {
    const auto holder = os::lock_holder(lock);
    if (!holder || holder->pid == ::getpid()) {
      return;
    }
    if (!is_told) {
      tell(holder);
    }
    context.check_interrupted();
    std::this_thread::sleep_for(k_pause);
  }
}

} // namespace

Json restart_named_services(
    Context& context, const std::string& workspace, const Project& project,
    const std::vector<std::string>& services, WaitUntilReady wait, DryRun dry_run) {
  const auto began = os::now_monotonic();
  context.base.prepare();
  const auto located = locate(context, workspace, project);
  auto running = connect_running(context, located.id, "restart");
  const auto known = services_status(*running.client);
  const auto names = chosen(known, services);
  if (names.empty()) {
    throw Error(ErrorCode::bad_state, "this workspace has no services");
  }
  if (dry_run == DryRun::yes) {
    return restart_not_done(running.record, known, names);
  }
  running.client->call(
      "/agent" + std::string(protocol::path::k_services_restart),
      protocol::to_json(protocol::ServicesSelect{names, false}));
  auto list = wait == WaitUntilReady::yes ? waited_for(context, located, running, names)
                                          : shown(context, located, running, names);
  return answer(running, std::move(list), began);
}

Json wait_for_workspace(
    Context& context, const std::string& workspace, const Project& project,
    const std::vector<std::string>& services) {
  const auto began = os::now_monotonic();
  context.base.prepare();
  const auto located = locate(context, workspace, project);
  wait_until_free(context, store::WorkspacePaths(context.base, located.id).lock());
  auto running = connect_running(context, located.id, "wait");
  const auto names = chosen(services_status(*running.client), services);
  return answer(running, waited_for(context, located, running, names), began);
}

} // namespace pyro::workspace
