#include "service_failure.hpp"

#include <algorithm>

namespace pyro::workspace {

namespace {

using protocol::ServiceFailure;
using protocol::ServiceState;
using protocol::ServiceStatus;

/// The agent's reason without what the error says in its own places: the hint and the last probe.
std::string bare_reason(std::string reason, const std::string& hint) {
  const auto tail = " (" + hint + ")";
  if (!hint.empty() && reason.ends_with(tail)) {
    reason.resize(reason.size() - tail.size());
  }
  return reason.substr(0, reason.find("; last probe: "));
}

std::string hint_of(const spec::Spec& spec, const std::string& name) {
  const auto service = spec.services.find(name);
  return service == spec.services.end() ? std::string{} : service->second.hint;
}

/// Those that others wait for come first among equals. Dependencies form no cycle (spec/check.cpp).
int depth_of(const spec::Spec& spec, const std::string& name) {
  int depth = 0;
  if (const auto service = spec.services.find(name); service != spec.services.end()) {
    for (const auto& [other, dependency] : service->second.depends_on) {
      depth = std::max(depth, 1 + depth_of(spec, other));
    }
  }
  return depth;
}

int rank_of(const ServiceStatus& status) {
  switch (status.failure) {
  case ServiceFailure::own:
  case ServiceFailure::background:
    return 0;
  case ServiceFailure::none: // exited or stopped: nobody's fault, and yet it is not there
    return 1;
  case ServiceFailure::timeout:
    return 2;
  case ServiceFailure::dependency:
    break;
  }
  return 3;
}

/// Who is waiting, starting or running may still become ready: it is not to blame.
bool has_given_up(const ServiceStatus& status) {
  return status.state == ServiceState::failed || status.state == ServiceState::exited
         || status.state == ServiceState::stopped;
}

std::vector<ServiceStatus> by_blame(const spec::Spec& spec, std::vector<ServiceStatus> services) {
  std::erase_if(services, [](const auto& status) { return !has_given_up(status); });
  std::stable_sort(services.begin(), services.end(), [&](const auto& one, const auto& other) {
    return std::pair(rank_of(one), depth_of(spec, one.name))
           < std::pair(rank_of(other), depth_of(spec, other.name));
  });
  return services;
}

std::string sentence_of(const spec::Spec& spec, const ServiceStatus& status) {
  constexpr std::string_view k_not_started = "not started: ";
  const auto reason = bare_reason(status.reason, hint_of(spec, status.name));
  if (status.failure == ServiceFailure::dependency && reason.starts_with(k_not_started)) {
    return fmt::format("service {} was not started: {}", status.name, reason.substr(k_not_started.size()));
  }
  const bool is_late = status.failure == ServiceFailure::timeout && status.reason.starts_with("not ready");
  const auto what = is_late ? "did not become ready" : std::string(protocol::name_of(status.state));
  return fmt::format("service {} {}{}{}", status.name, what, reason.empty() ? "" : ": ", reason);
}

std::string advice_for(const spec::Spec& spec, const ServiceStatus& status) {
  if (auto hint = hint_of(spec, status.name); !hint.empty()) {
    return hint;
  }
  if (status.failure == ServiceFailure::background) {
    return "run it in the foreground (most daemons have a flag for that); with `oneshot: true` it may go to "
           "the "
           "background, and nobody watches it there";
  }
  return fmt::format("`pyro logs {}` shows more; the workspace is kept for looking", status.name);
}

std::string first_sentence(const spec::Spec& spec, const std::vector<ServiceStatus>& services) {
  const auto blamed = by_blame(spec, services);
  return blamed.empty() ? "the services did not become ready" : sentence_of(spec, blamed.front());
}

} // namespace

ServicesNotReady::ServicesNotReady(const spec::Spec& spec, const std::vector<ServiceStatus>& services)
    : Error(ErrorCode::not_ready, "{}", first_sentence(spec, services)) {
  const auto blamed = by_blame(spec, services);
  if (blamed.empty()) {
    return;
  }
  const auto& first = blamed.front();
  m_culprit = first.name;
  if (first.exit_code && first.failure == ServiceFailure::own
      && first.reason.find("exit") == std::string::npos) {
    add_context(fmt::format("exit code {}", *first.exit_code));
  }
  if (!first.last_probe.empty()) {
    add_context(fmt::format("last probe: {}", first.last_probe));
  }
  for (auto other = blamed.begin() + 1; other != blamed.end(); ++other) {
    const bool is_late = other->failure == ServiceFailure::timeout && !other->last_probe.empty();
    add_context(sentence_of(spec, *other) + (is_late ? "; last probe: " + other->last_probe : ""));
  }
  with_hint(advice_for(spec, first));
  with_output(first.log_tail);
  at(spec.place("services." + first.name));
}

} // namespace pyro::workspace
