#include "apply_timings.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/atomic_file.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/os/fd.hpp>

#include <algorithm>

namespace pyro::workspace {

namespace {

std::string path_of(const store::WorkspacePaths& paths) {
  return paths.root() + "/last-apply.json";
}

std::int64_t end_of(const Json& action) {
  return get_int(action, "start_ms") + get_int(action, "duration_ms");
}

/// What it waited for last: of what it depends on, else of all, that which ended last before it began.
Json* waited_for(std::vector<Json>& actions, const Json& action) {
  const auto after = strings_or_empty(action, "after");
  Json* found = nullptr;
  bool is_named = false;
  for (auto& other : actions) {
    const bool names_it = std::find(after.begin(), after.end(), get_string(other, "address")) != after.end();
    const bool ended = &other != &action && end_of(other) <= get_int(action, "start_ms") + 1
                       && get_int(other, "start_ms") < get_int(action, "start_ms");
    // Services begin together, and then wait for each other.
    const bool is_waited_for = names_it && &other != &action && end_of(other) <= end_of(action);
    if ((ended || is_waited_for) && (names_it || !is_named)) {
      const bool is_better = !found || (names_it && !is_named) || end_of(other) > end_of(*found);
      found = is_better ? &other : found;
      is_named = is_named || names_it;
    }
  }
  return found;
}

/// From the end backwards.
void mark_critical(std::vector<Json>& actions) {
  const auto last = std::max_element(actions.begin(), actions.end(), [](const Json& one, const Json& other) {
    return end_of(one) < end_of(other);
  });
  auto* action = last == actions.end() ? nullptr : &*last;
  while (action && !action->value("critical", false)) {
    (*action)["critical"] = true;
    action = waited_for(actions, *action);
  }
}

} // namespace

ApplyTimings::ApplyTimings() : m_began(os::now_monotonic()), m_at(os::now_epoch()) {
}

void ApplyTimings::begin(
    const std::string& address, std::string_view action, const std::vector<std::string>& after) {
  m_actions.push_back({address, std::string(action), after, os::now_monotonic() - m_began});
}

void ApplyTimings::end(const std::string& address) {
  for (auto& action : m_actions) {
    if (action.address == address && action.took.count() < 0) {
      action.took = os::now_monotonic() - m_began - action.begun;
    }
  }
}

void ApplyTimings::keep(const store::WorkspacePaths& paths, const std::string& failure) const noexcept {
  if (m_actions.empty()) {
    return;
  }
  try {
    const auto total = os::now_monotonic() - m_began;
    Json list = Json::array();
    for (const auto& action : m_actions) {
      const bool is_done = action.took.count() >= 0;
      list.push_back(
          {{"address", action.address},
           {"action", action.action},
           {"after", action.after},
           {"start_ms", action.begun.count()},
           {"duration_ms", (is_done ? action.took : total - action.begun).count()},
           {"is_done", is_done}});
    }
    os::write_json_atomically(
        path_of(paths),
        {{"at", m_at}, {"total_ms", total.count()}, {"failure", failure}, {"actions", std::move(list)}},
        os::Durable::no);
  } catch (const std::exception&) {
    // Nothing depends on it; a full disk has been told of by what failed.
  }
}

Json last_timings(const store::WorkspacePaths& paths) {
  const auto text = os::maybe_read_file(path_of(paths));
  if (!text) {
    return nullptr;
  }
  auto document = parse_json(*text, "the times of the last apply");
  std::vector<Json> actions;
  for (auto action : document.value("actions", Json::array())) {
    action["critical"] = false;
    actions.push_back(std::move(action));
  }
  mark_critical(actions);
  std::int64_t critical = 0;
  std::int64_t reached = 0;
  for (auto& action : actions) {
    if (action.value("critical", false)) { // what it did while another was still at work counts there
      critical += std::max<std::int64_t>(0, end_of(action) - std::max(reached, get_int(action, "start_ms")));
      reached = std::max(reached, end_of(action));
    }
    action.erase("after");
  }
  document["actions"] = actions;
  document["critical_ms"] = critical;
  return document;
}

} // namespace pyro::workspace
