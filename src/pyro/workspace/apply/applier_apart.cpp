// What an Applier makes in sandboxes of its own (steps of snapshots that are out of date, the ready point),
// while the services of the workspace are on their way up: two that do not know of each other.
#include "applier.hpp"

#include <pyro/plan/render.hpp>

#include <algorithm>

namespace pyro::workspace {

namespace {

bool is_made_apart(const plan::Action& action) {
  return action.apart && plan::is_change(action.kind);
}

} // namespace

Applier::~Applier() {
  end_apart();
}

/// With the first service. What is made anew under keys that are there cannot be found by its key afterwards.
void Applier::begin_apart() {
  const auto& actions = m_plan.actions;
  const bool any = std::any_of(actions.begin(), actions.end(), is_made_apart);
  if (!any || m_services_done || m_how.parallel < 2 || m_makes_anew) {
    return;
  }
  m_apart = std::make_unique<os::SideWork>(
      [this](const os::SideWork::Tell& tell) {
        make_apart(tell);
        return Json();
      },
      [this](const nlohmann::json& news) { hear_of_apart(news); });
  m_interrupted = m_context.settings.interrupted;
  m_context.settings.interrupted = [this] { // asked whenever something is waited for
    m_apart->hear();
    return m_interrupted && m_interrupted();
  };
}

/// In a process of its own: layers and recipes are all that stays of it.
void Applier::make_apart(const os::SideWork::Tell& tell) {
  m_context.current = {}; // what is told is noted where it is heard
  m_context.sink = [&](const Event& event) {
    tell(to_json(event));
  };
  for (const auto& action : m_plan.actions) {
    if (!is_made_apart(action)) {
      continue;
    }
    m_context.check_interrupted();
    m_context.emit("action_start", action.address, "");
    try {
      if (action.subject == plan::Subject::link) {
        build(action);
        m_context.emit("action_complete", action.address, "");
      } else {
        std::ignore = stack_of_snapshot(action);
      }
    } catch (const Error& error) {
      tell_error(action, error);
      throw;
    }
  }
}

void Applier::hear_of_apart(const nlohmann::json& news) {
  const auto event = event_from_json(news);
  const auto* action = m_plan.find(event.address);
  if (event.kind == "action_start" && action != nullptr) {
    note_begin(*action);
  } else if (event.kind == "action_complete" && action != nullptr) {
    complete(*action);
  } else {
    m_context.emit(event.kind, event.address, event.text, event.data);
  }
}

void Applier::join_apart() {
  if (!m_apart) {
    return;
  }
  std::ignore = m_apart->wait([&] { m_context.check_interrupted(); });
  m_layers_made_apart = true;
  end_apart();
}

void Applier::end_apart() {
  if (m_apart) {
    m_context.settings.interrupted = std::exchange(m_interrupted, {});
    m_apart.reset();
  }
}

} // namespace pyro::workspace
