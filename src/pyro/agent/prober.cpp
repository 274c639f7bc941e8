#include "prober.hpp"

#include <pyro/base/error.hpp>

namespace pyro::agent {

namespace {

constexpr std::chrono::milliseconds k_first_interval{100};
constexpr std::chrono::milliseconds k_last_interval{1000};

} // namespace

Prober::Prober(
    Runtime& runtime, protocol::Probe probe, ProbeSubject subject, FirstAttempt first, Report report)
    : m_runtime(runtime), m_probe(std::move(probe)), m_subject(std::move(subject)),
      m_report(std::move(report)),
      m_interval(
          m_probe.interval_ms > 0 ? std::chrono::milliseconds(m_probe.interval_ms) : k_first_interval) {
  auto delay = first == FirstAttempt::at_once ? std::chrono::milliseconds(0) : m_interval;
  m_timer = m_runtime.loop.after(delay, [this] { attempt(); });
}

Prober::~Prober() {
  m_runtime.loop.cancel(m_timer);
}

void Prober::poke() {
  if (!m_attempt) {
    m_runtime.loop.cancel(m_timer);
    m_timer = m_runtime.loop.after(std::chrono::milliseconds(0), [this] { attempt(); });
  }
}

void Prober::attempt() {
  try {
    m_attempt = start_attempt(
        m_runtime, m_probe, m_subject, [this](const ProbeOutcome& outcome) { on_done(outcome); });
  } catch (const Error& error) {
    on_done({false, error.message()}); // cannot fork or the like: a failed attempt
  }
}

void Prober::on_done(const ProbeOutcome& outcome) {
  m_attempt.reset();
  m_in_a_row = outcome.ok == m_last_ok ? m_in_a_row + 1 : 1;
  m_last_ok = outcome.ok;
  schedule();
  auto report = m_report;
  report(outcome, m_in_a_row);
}

void Prober::schedule() {
  m_timer = m_runtime.loop.after(m_interval, [this] { attempt(); });
  if (m_probe.interval_ms == 0) {
    m_interval = std::min(m_interval * 2, k_last_interval);
  }
}

} // namespace pyro::agent
