#include "waiting.hpp"

#include "service_control.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/os/file_lock.hpp>
#include <pyro/workspace/context/context.hpp>
#include <pyro/workspace/sandbox/guest_services.hpp>
#include <pyro/workspace/state/locate.hpp>

#include <algorithm>
#include <thread>

namespace pyro::workspace {

namespace {

constexpr std::chrono::milliseconds k_pause{100};

struct Conditions {
  bool ready = false;
  bool absent = false;
  std::vector<std::string> services;
  std::vector<std::string> snapshots;

  bool needs_sandbox() const { return ready || !services.empty(); }
};

Conditions read_conditions(const std::vector<std::string>& words) {
  Conditions conditions;
  for (const auto& word : words) {
    const auto equals = word.find('=');
    const auto kind = word.substr(0, equals);
    const auto name = equals == std::string::npos ? "" : word.substr(equals + 1);
    const bool has_name = equals != std::string::npos && !name.empty();
    if (word == "ready") {
      conditions.ready = true;
    } else if (word == "absent") {
      conditions.absent = true;
    } else if (kind == "ready" && has_name) {
      conditions.services.push_back(name);
    } else if (kind == "snapshot" && has_name) {
      conditions.snapshots.push_back(name);
    } else {
      throw Error(ErrorCode::usage, "'{}' is nothing to wait for", word)
          .with_hint("ready, ready=SERVICE, absent, snapshot=NAME");
    }
  }
  if (conditions.absent && (conditions.needs_sandbox() || !conditions.snapshots.empty())) {
    throw Error(ErrorCode::usage, "what is absent can be nothing else at the same time");
  }
  return conditions;
}

std::optional<Located> maybe_locate(Context& context, const std::string& workspace, const Project& project) {
  try {
    return locate(context, workspace, project);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::not_found) {
      return std::nullopt;
    }
    throw;
  }
}

/// Services that nobody has started yet; those that will never be ready are found by who waits for them.
std::vector<std::string>
missing_services(const Context& context, const std::string& id, const Conditions& conditions) {
  const auto services = services_status_if_any(store::WorkspacePaths(context.base, id).control_socket());
  std::vector<std::string> missing;
  for (const auto& name : conditions.services) {
    const bool is_there =
        services && std::any_of(services->begin(), services->end(), [&](const auto& status) {
          return status.name == name;
        });
    if (!is_there) {
      missing.push_back("service " + name);
    }
  }
  if (!services && missing.empty()) {
    missing.emplace_back("its sandbox");
  }
  return missing;
}

/// What does not hold yet, in words.
std::vector<std::string> unmet(Context& context, const Located& located, const Conditions& conditions) {
  const auto record = load_and_recover_if_there(context, located.id);
  if (!record || is_destroyed(*record)) {
    return {"the workspace"};
  }
  std::vector<std::string> missing;
  for (const auto& name : conditions.snapshots) {
    const bool is_there = context.records.has_snapshot(located.id, name);
    if (!is_there) {
      missing.push_back("snapshot " + name);
    } else if (!context.records.snapshot(located.id, name).outdated_by.empty()) {
      missing.push_back("snapshot " + name + ", which is out of date");
    }
  }
  if (!conditions.needs_sandbox()) {
    return missing;
  }
  const auto lock = store::WorkspacePaths(context.base, located.id).lock();
  if (record->state != store::WorkspaceState::started) {
    missing.push_back("a start of the workspace");
  } else if (const auto holder = os::lock_holder(lock); holder && holder->operation == "apply") {
    missing.push_back("the end of " + to_string(*holder));
  } else {
    auto services = missing_services(context, located.id, conditions);
    missing.insert(missing.end(), services.begin(), services.end());
  }
  return missing;
}

Json answer(Context& context, const std::optional<Located>& located, std::chrono::milliseconds began) {
  Json document{{"state", "absent"}, {"services", Json::array()}};
  const auto record = located ? load_and_recover_if_there(context, located->id) : std::nullopt;
  if (record) {
    document["workspace_id"] = record->id;
    document["name"] = record->name;
    document["state"] = is_destroyed(*record) ? "destroyed" : std::string(store::name_of(record->state));
  }
  document["duration_ms"] = (os::now_monotonic() - began).count();
  return document;
}

class Waiting {
public:
  Waiting(Context& context, const std::string& workspace, const Project& project, Conditions conditions)
      : m_context(context), m_workspace(workspace), m_project(project), m_conditions(std::move(conditions)) {}

  Json run() {
    for (;;) {
      const auto located = maybe_locate(m_context, m_workspace, m_project);
      if (m_conditions.absent) {
        const auto record = located ? load_and_recover_if_there(m_context, located->id) : std::nullopt;
        m_missing = {"the end of the workspace"};
        if (!record || is_destroyed(*record)) {
          return answer(m_context, located, m_began);
        }
      } else {
        m_missing =
            located ? unmet(m_context, *located, m_conditions) : std::vector<std::string>{"the workspace"};
        if (m_missing.empty()) {
          return met(*located);
        }
      }
      pause();
    }
  }

private:
  /// All are there; that services become ready is waited for as `pyro wait` always does.
  Json met(const Located& located) {
    if (!m_conditions.needs_sandbox()) {
      return answer(m_context, located, m_began);
    }
    const auto services = m_conditions.ready ? std::vector<std::string>{} : m_conditions.services;
    m_missing = services.empty() ? std::vector<std::string>{"ready services"} : services;
    try {
      return wait_for_workspace(m_context, located.id, m_project, services);
    } catch (Error& error) {
      throw explained(error);
    }
  }

  void pause() {
    if (m_missing != m_told) {
      m_context.emit("waiting", "workspace", fmt::format("waiting for {}", fmt::join(m_missing, ", ")));
      m_told = m_missing;
    }
    try {
      m_context.check_interrupted();
    } catch (Error& error) {
      throw explained(error);
    }
    std::this_thread::sleep_for(k_pause);
  }

  Error explained(Error& error) const {
    if (error.code() == ErrorCode::timeout) {
      error.add_context(fmt::format("still missing: {}", fmt::join(m_missing, ", ")));
    }
    return error;
  }

  Context& m_context;
  const std::string& m_workspace;
  const Project& m_project;
  Conditions m_conditions;
  std::vector<std::string> m_missing;
  std::vector<std::string> m_told;
  std::chrono::milliseconds m_began = os::now_monotonic();
};

} // namespace

Json wait_for_conditions(
    Context& context, const std::string& workspace, const Project& project,
    const std::vector<std::string>& conditions) {
  context.base.prepare();
  return Waiting(context, workspace, project, read_conditions(conditions)).run();
}

} // namespace pyro::workspace
