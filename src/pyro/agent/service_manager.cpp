#include "service_manager.hpp"

#include "log_call.hpp"
#include "service_names.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/names.hpp>
#include <pyro/protocol/requests.hpp>

namespace pyro::agent {

namespace {

using protocol::DependencyCondition;
using protocol::ServiceState;

constexpr std::size_t k_max_waiters = 64;
constexpr std::size_t k_max_result = protocol::k_max_json - (16 << 10);

} // namespace

ServiceManager::ServiceManager(Runtime& runtime) : m_runtime(runtime) {
}

ServiceManager::~ServiceManager() {
  *m_alive = false;
}

void ServiceManager::add_operations(protocol::Router& router) {
  namespace path = protocol::path;
  auto add = [&](std::string_view where, void (ServiceManager::*method)(const CallPointer&, const Json&)) {
    router.add(std::string(where), [this, method](const CallPointer& call, const Json& request) {
      (this->*method)(call, request);
    });
  };
  add(path::k_services_apply, &ServiceManager::apply);
  add(path::k_services_define, &ServiceManager::define);
  add(path::k_services_ended, &ServiceManager::ended);
  add(path::k_services_wait, &ServiceManager::wait);
  add(path::k_services_stop, &ServiceManager::stop);
  add(path::k_services_start, &ServiceManager::start);
  add(path::k_services_restart, &ServiceManager::restart);
  add(path::k_services_logs, &ServiceManager::logs);
  add(path::k_services_follow, &ServiceManager::follow);
  router.add(std::string(path::k_services_status), [this](const CallPointer& call, const Json&) {
    call->finish(result_of(all_names(), true));
  });
}

ServiceManager::Entry& ServiceManager::entry(const std::string& name) {
  auto found = m_entries.find(name);
  if (found == m_entries.end()) {
    const auto names = all_names();
    throw Error(ErrorCode::not_found, "there is no service '{}'", name)
        .with_hint(names_hint(name, {names.begin(), names.end()}));
  }
  return found->second;
}

ServiceManager::Entry& ServiceManager::add_entry(const std::string& name) {
  auto& entry = m_entries[name];
  if (!entry.service) {
    entry.service = std::make_unique<Service>(m_runtime, name, [this, name] { changed(name); });
  }
  return entry;
}

std::set<std::string> ServiceManager::all_names() const {
  std::set<std::string> names;
  for (auto& [name, entry] : m_entries) {
    names.insert(name);
  }
  return names;
}

std::set<std::string> ServiceManager::selected(const Json& request) {
  auto wanted = protocol::services_select_from_json(request);
  if (wanted.all) {
    return all_names();
  }
  for (auto& name : wanted.names) {
    entry(name);
  }
  return {wanted.names.begin(), wanted.names.end()};
}

std::set<std::string> ServiceManager::with_dependents(std::set<std::string> names, bool only_restarting) {
  for (std::size_t before = 0; before != names.size();) {
    before = names.size();
    for (auto& [name, entry] : m_entries) {
      auto& definition = entry.next_definition ? *entry.next_definition : entry.service->definition();
      for (auto& [other, dependency] : definition.depends_on) {
        if (names.contains(other) && (dependency.restart || !only_restarting)) {
          names.insert(name);
        }
      }
    }
  }
  return names;
}

void ServiceManager::request_start(Entry& entry) {
  if (entry.stop_requested) {
    entry.start_after_stop = true;
  } else if (!entry.service->is_up()) {
    entry.wants_start = true;
    entry.service->set_waiting("");
  }
}

void ServiceManager::request_stop(Entry& entry) {
  entry.wants_start = false;
  entry.start_after_stop = false;
  entry.stop_requested = true;
}

void ServiceManager::request_restart(Entry& entry) {
  request_stop(entry);
  entry.start_after_stop = true;
}

void ServiceManager::start_with_dependencies(const std::string& name, std::set<std::string>& seen) {
  if (!seen.insert(name).second) {
    return;
  }
  auto& here = entry(name);
  for (auto& [other, dependency] : here.service->definition().depends_on) {
    auto found = m_entries.find(other);
    if (found != m_entries.end() && !found->second.service->is_completed()) {
      start_with_dependencies(other, seen);
    }
  }
  request_start(here);
}

void ServiceManager::apply(const CallPointer& call, const Json& request) {
  auto wanted = protocol::services_apply_from_json(request);
  m_parallel = wanted.parallel;
  std::set<std::string> names;
  for (auto& [name, definition] : wanted.services) {
    names.insert(name);
  }
  for (auto& [name, entry] : m_entries) {
    if (entry.by_hand) {
      names.insert(name);
    }
  }
  write_service_names(names);
  std::vector<std::string> started;
  std::vector<std::string> stopped;
  std::set<std::string> restarted;
  for (auto& [name, entry] : m_entries) {
    if (!wanted.services.contains(name) && !entry.by_hand) {
      request_stop(entry);
      entry.forget_after_stop = true;
      stopped.push_back(name);
    }
  }
  for (auto& [name, definition] : wanted.services) {
    bool known = m_entries.contains(name) && !m_entries[name].forget_after_stop;
    auto& entry = add_entry(name);
    entry.forget_after_stop = false;
    entry.by_hand = false;
    bool same = known && entry.service->definition().definition_digest == definition.definition_digest;
    if (same || !entry.service->is_up()) {
      entry.next_definition.reset();
      entry.service->define(definition);
    } else {
      entry.next_definition = definition; // its process still is the old one
      if (wanted.start) {
        restarted.insert(name);
      }
    }
    if (wanted.start && !entry.service->is_up()
        && !(same && entry.service->state() == ServiceState::completed)) {
      started.push_back(name);
    }
  }
  auto with_others = with_dependents(restarted, true);
  for (auto& name : with_others) {
    auto& entry = m_entries.at(name);
    if (restarted.contains(name) || entry.service->is_up()) {
      request_restart(entry);
      restarted.insert(name);
    }
  }
  for (auto& name : started) {
    request_start(m_entries.at(name));
  }
  call->finish({{"started", started}, {"restarted", restarted}, {"stopped", stopped}});
  advance_later();
}

void ServiceManager::define(const CallPointer& call, const Json& request) {
  auto wanted = protocol::services_define_from_json(request);
  if (const auto old = m_entries.find(wanted.name); old != m_entries.end()) {
    if (!old->second.by_hand) {
      throw Error(ErrorCode::already_exists, "the service {} is declared in pyro.yaml", wanted.name);
    }
    if (old->second.service->is_up() || old->second.wants_start || old->second.stop_requested) {
      throw Error(ErrorCode::bad_state, "the service {} is already running", wanted.name)
          .with_hint("stop it first");
    }
    old->second.service->stop(); // what its last run left behind
    m_entries.erase(old);
  } else if (m_entries.size() >= protocol::k_max_services) {
    throw Error(ErrorCode::unavailable, "{} services are too many", m_entries.size() + 1);
  }
  auto names = all_names();
  names.insert(wanted.name);
  write_service_names(names);
  auto& entry = add_entry(wanted.name);
  entry.by_hand = true;
  entry.service->define(std::move(wanted.definition));
  request_start(entry);
  advance();
  call->finish(result_of({wanted.name}, true));
}

void ServiceManager::ended(const CallPointer& call, const Json& request) {
  auto name = protocol::services_ended_from_json(request).name;
  entry(name);
  if (m_end_waiters.size() >= 2 * protocol::k_max_services) {
    throw Error(ErrorCode::unavailable, "too many callers wait for services to end");
  }
  m_end_waiters.push_back({call, std::move(name)});
  protocol::CallEvents events;
  events.on_gone = [this, call] {
    m_end_waiters.remove_if([&](auto& other) { return other.call == call; });
  };
  call->set_events(std::move(events));
  advance_later();
}

void ServiceManager::stop(const CallPointer& call, const Json& request) {
  auto names = selected(request);
  auto affected = with_dependents(names, false);
  for (auto& name : affected) {
    auto& here = entry(name);
    if (names.contains(name) || here.service->is_up() || here.wants_start) {
      request_stop(here);
    }
  }
  m_stop_waiters.push_back({affected, [this, call, names] {
                              call->finish(result_of(names, true));
                            }});
  advance_later();
}

void ServiceManager::start(const CallPointer& call, const Json& request) {
  auto names = selected(request);
  std::set<std::string> seen;
  for (auto& name : names) {
    start_with_dependencies(name, seen);
  }
  advance();
  call->finish(result_of(names, true));
}

void ServiceManager::restart(const CallPointer& call, const Json& request) {
  auto names = selected(request);
  for (auto& name : with_dependents(names, true)) {
    if (names.contains(name) || entry(name).service->is_up()) {
      entry(name).service->run_again();
      request_restart(entry(name));
    }
  }
  advance();
  call->finish(result_of(names, true));
}

void ServiceManager::prove_readiness() {
  for (auto& [name, entry] : m_entries) {
    entry.service->prove_readiness();
  }
}

void ServiceManager::stop_all(std::chrono::milliseconds grace, std::function<void()> done) {
  m_most_grace = grace;
  for (auto& [name, entry] : m_entries) {
    request_stop(entry);
  }
  m_stop_waiters.push_back({all_names(), std::move(done)});
  advance_later();
}

void ServiceManager::fail_killed(const std::string& reason) {
  for (auto& [name, entry] : m_entries) {
    entry.service->fail_killed(reason);
  }
  advance_later();
}

void ServiceManager::logs(const CallPointer& call, const Json& request) {
  auto wanted = protocol::services_logs_from_json(request);
  LogCall::start(m_runtime, call, wanted, entry(wanted.name).service->log());
}

void ServiceManager::wait(const CallPointer& call, const Json& request) {
  auto wanted = protocol::services_wait_from_json(request);
  if (m_waiters.size() >= k_max_waiters) {
    throw Error(ErrorCode::unavailable, "too many callers wait for services (limit {})", k_max_waiters);
  }
  Waiter waiter{call, {wanted.names.begin(), wanted.names.end()}};
  if (waiter.names.empty()) {
    waiter.names = all_names();
    std::erase_if(waiter.names, [&](auto& name) { return m_entries.at(name).forget_after_stop; });
  }
  for (auto& name : waiter.names) {
    call->send(Json{{"service", to_json(entry(name).service->status(0, 0))}});
  }
  m_waiters.push_back(std::move(waiter));
  protocol::CallEvents events;
  events.on_gone = [this, call] {
    m_waiters.remove_if([&](auto& other) { return other.call == call; });
  };
  call->set_events(std::move(events));
  advance_later();
}

void ServiceManager::follow(const CallPointer& call, const Json&) {
  if (m_followers.size() >= k_max_waiters) {
    throw Error(ErrorCode::unavailable, "too many callers follow the services (limit {})", k_max_waiters);
  }
  protocol::CallEvents events;
  events.on_gone = [this, weak = std::weak_ptr(call)] {
    m_followers.erase(weak.lock());
  };
  call->set_events(std::move(events));
  m_followers.insert(call);
  call->send(Json{{"services", result_of(all_names(), true).at("services")}});
}

void ServiceManager::changed(const std::string& name) {
  auto found = m_entries.find(name);
  if (found != m_entries.end()) {
    for (const auto& call : m_followers) {
      if (!call->is_full()) {
        call->send(Json{{"service", to_json(found->second.service->status(0, 0))}});
      }
    }
    for (auto& waiter : m_waiters) {
      if (waiter.names.contains(name) && !waiter.call->is_full()) {
        waiter.call->send(Json{{"service", to_json(found->second.service->status(0, 0))}});
      }
    }
  }
  advance_later();
}

void ServiceManager::advance_later() {
  if (!std::exchange(m_advance_posted, true)) {
    m_runtime.loop.post([this, alive = m_alive] {
      if (*alive) {
        m_advance_posted = false;
        advance();
      }
    });
  }
}

bool ServiceManager::dependents_stopping(const std::string& name) const {
  return std::any_of(m_entries.begin(), m_entries.end(), [&](auto& item) {
    auto& other = item.second;
    return other.stop_requested && other.service->is_up()
           && other.service->definition().depends_on.contains(name);
  });
}

bool ServiceManager::advance_stop(const std::string& name, Entry& entry) {
  if (!entry.stop_requested) {
    return false;
  }
  if (entry.service->is_up()) {
    if (!entry.stop_begun && !dependents_stopping(name)) {
      entry.stop_begun = true;
      entry.service->stop(m_most_grace);
      return true;
    }
    return false;
  }
  if (!std::exchange(entry.stop_begun, false)) {
    entry.service->stop();
  }
  entry.stop_requested = false;
  if (entry.next_definition) {
    entry.service->define(*std::exchange(entry.next_definition, std::nullopt));
  }
  if (std::exchange(entry.start_after_stop, false)) {
    request_start(entry);
  }
  return true;
}

ServiceManager::Verdict
ServiceManager::verdict(const protocol::Dependency& dependency, const Entry& other) const {
  auto& service = *other.service;
  if (other.wants_start || other.stop_requested) {
    return other.stop_requested && !other.start_after_stop ? Verdict::hopeless : Verdict::pending;
  }
  bool satisfied = (dependency.condition == DependencyCondition::started && service.is_started())
                   || (dependency.condition == DependencyCondition::ready && service.is_ready())
                   || (dependency.condition == DependencyCondition::completed && service.is_completed());
  if (satisfied) {
    return Verdict::satisfied;
  }
  return service.is_over() || !service.is_up() ? Verdict::hopeless : Verdict::pending;
}

bool ServiceManager::is_coming(const Entry& entry) {
  return entry.service->is_up() && !entry.service->is_ready()
         && entry.service->state() != ServiceState::failed;
}

bool ServiceManager::advance_start(Entry& entry) {
  if (!entry.wants_start || entry.stop_requested) {
    return false;
  }
  std::string waits_for;
  for (auto& [name, dependency] : entry.service->definition().depends_on) {
    auto found = m_entries.find(name);
    auto verdict = found == m_entries.end() ? Verdict::hopeless : this->verdict(dependency, found->second);
    if (verdict == Verdict::hopeless) {
      entry.wants_start = false;
      auto state = found == m_entries.end() ? "gone" : name_of(found->second.service->state());
      entry.service->fail(
          fmt::format("not started: it depends on {}, which is {}", name, state),
          protocol::ServiceFailure::dependency);
      return true;
    }
    if (verdict == Verdict::pending) {
      waits_for += (waits_for.empty() ? "waits for " : ", ") + name;
    }
  }
  if (!waits_for.empty()) {
    entry.service->set_waiting(waits_for);
    return false;
  }
  const auto coming = std::count_if(
      m_entries.begin(), m_entries.end(), [](const auto& other) { return is_coming(other.second); });
  if (m_parallel > 0 && coming >= m_parallel) {
    entry.service->set_waiting(
        "waits for others to be ready: not more than " + std::to_string(m_parallel) + " at once");
    return false;
  }
  entry.wants_start = false;
  entry.service->start();
  return true;
}

void ServiceManager::advance() {
  for (bool moved = true; moved;) {
    moved = false;
    for (auto it = m_entries.begin(); it != m_entries.end();) {
      moved = advance_stop(it->first, it->second) || moved;
      bool forget =
          it->second.forget_after_stop && !it->second.stop_requested && !it->second.service->is_up();
      it = forget ? m_entries.erase(it) : std::next(it);
    }
    for (auto& [name, entry] : m_entries) {
      moved = advance_start(entry) || moved;
    }
  }
  check_waiters();
}

bool ServiceManager::is_decided(const Waiter& waiter, bool& ok) const {
  ok = true;
  bool all_ready = true;
  for (auto& name : waiter.names) {
    auto found = m_entries.find(name);
    if (found == m_entries.end()) {
      ok = false;
      return true;
    }
    auto& entry = found->second;
    bool in_motion = entry.wants_start || entry.stop_requested;
    if (!in_motion && entry.service->is_ready()) {
      continue;
    }
    if (!in_motion && (!entry.service->is_up() || entry.service->state() == ServiceState::failed)) {
      ok = false; // failed, exited, stopped or never started: no use to wait any longer
      return true;
    }
    all_ready = false;
  }
  return all_ready;
}

void ServiceManager::check_waiters() {
  for (auto it = m_waiters.begin(); it != m_waiters.end();) {
    bool ok = false;
    if (!is_decided(*it, ok)) {
      ++it;
      continue;
    }
    auto waiter = std::move(*it);
    it = m_waiters.erase(it);
    waiter.call->finish(result_of(waiter.names, ok));
  }
  for (auto it = m_stop_waiters.begin(); it != m_stop_waiters.end();) {
    bool all_down = std::all_of(it->names.begin(), it->names.end(), [&](auto& name) {
      auto found = m_entries.find(name);
      return found == m_entries.end() || !found->second.stop_requested;
    });
    if (!all_down) {
      ++it;
      continue;
    }
    auto done = std::move(it->done);
    it = m_stop_waiters.erase(it);
    done();
  }
  check_end_waiters();
}

void ServiceManager::check_end_waiters() {
  for (auto it = m_end_waiters.begin(); it != m_end_waiters.end();) {
    auto found = m_entries.find(it->name);
    if (found != m_entries.end()
        && (found->second.service->is_up() || found->second.wants_start || found->second.stop_requested)) {
      ++it;
      continue;
    }
    auto waiter = std::move(*it);
    it = m_end_waiters.erase(it);
    waiter.call->finish(result_of({waiter.name}, true));
  }
}

Json ServiceManager::result_of(const std::set<std::string>& names, bool ok) const {
  struct Tail {
    std::size_t lines;
    std::size_t width;
  };

  // Many services with long lines must still fit one message.
  for (auto tail : {Tail{20, 400}, Tail{20, 100}, Tail{5, 100}, Tail{0, 0}}) {
    protocol::ServicesResult result{ok, {}};
    for (auto& name : names) {
      auto found = m_entries.find(name);
      if (found != m_entries.end()) {
        result.services.push_back(found->second.service->status(tail.lines, tail.width));
        result.services.back().by_hand = found->second.by_hand;
      }
    }
    auto json = to_json(result);
    if (json.dump(-1, ' ', false, Json::error_handler_t::replace).size() < k_max_result || tail.lines == 0) {
      return json;
    }
  }
  return {};
}

} // namespace pyro::agent
