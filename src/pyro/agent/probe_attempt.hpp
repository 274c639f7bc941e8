// One attempt of one probe. Prober (prober.hpp) repeats them.
#pragma once

#include "launch.hpp"
#include "runtime.hpp"
#include "service_log.hpp"

#include <pyro/protocol/service_requests.hpp>

#include <ctime>
#include <functional>
#include <memory>
#include <string>

namespace pyro::agent {

/// What a probe may look at of its service.
struct ProbeSubject {
  std::string service;
  LaunchRequest how; // user, env and cwd for exec probes
  const ServiceLog* log = nullptr;
  std::timespec started{}; // by the clock that stamps files
};

struct ProbeOutcome {
  bool ok = false;
  std::string detail; // "http 127.0.0.1:80/: status 503"
};

class ProbeAttempt {
public:
  using Done = std::function<void(ProbeOutcome outcome)>;

  virtual ~ProbeAttempt() = default;
};

/// Starts an attempt that ends by itself within the probe's timeout, in a later turn of the loop. Destroying
/// it abandons it (done is not called, its process is killed).
std::unique_ptr<ProbeAttempt> start_attempt(
    Runtime& runtime, const protocol::Probe& probe, const ProbeSubject& subject, ProbeAttempt::Done done);

} // namespace pyro::agent
