#include "own_events.hpp"

#include <pyro/base/units.hpp>
#include <pyro/os/clock.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace pyro::supervisor {

namespace {

constexpr double k_most_at_once = 100;
constexpr double k_most_per_second = 1;

/// What says of a limit where it is written down.
std::string address_of(const LimitStop& what) {
  return what.code == "disk_limit" || what.code == "disk_entries" ? "environment.resources.disk" : "";
}

} // namespace

OwnEvents::OwnEvents(const backend::LaunchSpec& spec)
    : m_sandbox{spec.workspace_id, spec.workspace_name}, m_may_add(k_most_at_once),
      m_added_at(os::now_monotonic()) {
  if (!spec.events_dir.empty()) {
    m_journal.emplace(spec.events_dir);
  }
}

void OwnEvents::add(
    const char* kind, const std::string& address, const std::string& text, const std::string& code) {
  const std::chrono::duration<double> since = os::now_monotonic() - m_added_at;
  const auto may_add = std::min(k_most_at_once, m_may_add + since.count() * k_most_per_second);
  if (!m_journal || may_add < 1) {
    return;
  }
  m_may_add = may_add - 1;
  m_added_at = os::now_monotonic();
  m_journal->add(events::supervisor_event(m_sandbox, kind, address, text, code));
}

void OwnEvents::ended(const std::string& reason, std::int64_t idle_ms) {
  if (reason == "expired") {
    add("sandbox_end", "lifecycle.ttl", "its time to live is over", reason);
  } else if (reason == "idle") {
    add("sandbox_end", "lifecycle.idle",
        fmt::format("nobody used it for {}", format_duration(std::chrono::milliseconds(idle_ms))), reason);
  } else if (reason == "terminated") {
    add("sandbox_end", "workspace", "its supervisor was told to end", reason);
  } else if (reason != "stopped") {
    add("sandbox_end", "workspace", reason, "died");
  }
}

void OwnEvents::limit_reached(const LimitStop& what) {
  add("limit_reached", address_of(what), what.reason, what.code);
}

void OwnEvents::services(const Json& frame, const std::function<Redactor()>& redactor) {
  for (const auto& known : frame.value("services", Json::array())) { // as they are: nothing has happened
    const auto status = protocol::service_status_from_json(known);
    m_services[status.name] = {status.state, status.restarts, false};
  }
  if (frame.contains("service")) {
    service(protocol::service_status_from_json(frame.at("service")), redactor);
  }
}

void OwnEvents::service(const protocol::ServiceStatus& now, const std::function<Redactor()>& redactor) {
  using enum protocol::ServiceState;
  if (!m_services.contains(now.name) && m_services.size() >= protocol::k_max_services) {
    m_services.clear(); // names come and go
  }
  auto& known = m_services[now.name];
  const auto address = "services." + now.name;
  const auto reason = [&] {
    return redactor().redact(now.reason);
  };
  if (now.state == starting && now.restarts > known.restarts) {
    known.is_coming_back = true;
    add("service_restart", address, reason(), "");
  } else if (now.state == known.state) {
    // Its process changed, or its text.
  } else if (now.state == failed || now.state == exited) {
    add(now.state == failed ? "service_failed" : "service_exited", address, reason(),
        now.failure == protocol::ServiceFailure::none ? "" : std::string(name_of(now.failure)));
  } else if (now.state == ready && std::exchange(known.is_coming_back, false)) {
    add("service_ready", address, fmt::format("ready again, after restart {}", now.restarts), "");
  }
  known.state = now.state;
  known.restarts = now.restarts;
  known.is_coming_back = known.is_coming_back && (now.state == starting || now.state == running);
}

} // namespace pyro::supervisor
