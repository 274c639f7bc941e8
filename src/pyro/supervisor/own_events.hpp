// What a supervisor and its sandbox do without being asked, in the journal of events: the sandbox ends, its
// processes are ended for a limit, services are restarted and fail. What somebody asked for is in there as
// that one's operation.
#pragma once

#include "limit_stop.hpp"

#include <pyro/backend/launch_spec.hpp>
#include <pyro/base/redactor.hpp>
#include <pyro/events/journal.hpp>
#include <pyro/events/supervisor_event.hpp>
#include <pyro/protocol/service_requests.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>

namespace pyro::supervisor {

class OwnEvents {
public:
  /// Writes nothing where the sandbox is to leave no trace (LaunchSpec::events_dir).
  explicit OwnEvents(const backend::LaunchSpec& spec);

  /// `reason` as in exit.json; `idle_ms`: what was too long without use.
  void ended(const std::string& reason, std::int64_t idle_ms);
  void limit_reached(const LimitStop& what);
  /// A frame of /services/follow. `redactor`: of what its processes were given; asked only where something is
  /// to be said.
  void services(const Json& frame, const std::function<Redactor()>& redactor);

private:
  struct Known {
    protocol::ServiceState state = protocol::ServiceState::waiting;
    int restarts = 0;
    bool is_coming_back = false;
  };

  void service(const protocol::ServiceStatus& now, const std::function<Redactor()>& redactor);
  void add(const char* kind, const std::string& address, const std::string& text, const std::string& code);

  std::optional<events::Journal> m_journal;
  events::Supervised m_sandbox;
  std::map<std::string, Known> m_services;
  double m_may_add; // events; what a sandbox says must not push all others out of the journal
  std::chrono::milliseconds m_added_at{0};
};

} // namespace pyro::supervisor
