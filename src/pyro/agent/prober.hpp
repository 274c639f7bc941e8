// Repeats the attempts of one probe: at once, then after 100 ms doubling to 1 s, or at a fixed interval.
#pragma once

#include "probe_attempt.hpp"

#include <functional>
#include <memory>
#include <string>

namespace pyro::agent {

class Prober {
public:
  /// After every attempt, with the number of successes or failures in a row. May destroy the prober.
  using Report = std::function<void(const ProbeOutcome& outcome, int in_a_row)>;

  enum class FirstAttempt { at_once, after_interval };

  Prober(Runtime& runtime, protocol::Probe probe, ProbeSubject subject, FirstAttempt first, Report report);
  ~Prober();
  Prober(const Prober&) = delete;
  Prober& operator=(const Prober&) = delete;

  const protocol::Probe& probe() const { return m_probe; }

  /// Something happened that the probe may have waited for (a new line in the log): tries again now.
  void poke();

private:
  void attempt();
  void on_done(const ProbeOutcome& outcome);
  void schedule();

  Runtime& m_runtime;
  protocol::Probe m_probe;
  ProbeSubject m_subject;
  Report m_report;
  std::chrono::milliseconds m_interval;
  std::unique_ptr<ProbeAttempt> m_attempt;
  os::EventLoop::TimerId m_timer = 0;
  bool m_last_ok = false;
  int m_in_a_row = 0;
};

} // namespace pyro::agent
