#include "interruption.hpp"

#include "text.hpp"
#include "units.hpp"

#include <cstdlib>
#include <utility>

namespace pyro {

namespace {

thread_local InterruptionScope* t_scope = nullptr;

#ifdef PYRO_CRASH_POINTS
/// For tests: PYRO_LIMIT_AT_LOOK=n, and the n-th look at a time limit finds that it is over; 0: none.
long look_of_the_end() {
  static const long s_look = [] {
    const char* text = std::getenv("PYRO_LIMIT_AT_LOOK");
    return text == nullptr ? 0 : std::strtol(text, nullptr, 10);
  }();
  return s_look;
}
#endif

} // namespace

InterruptionScope::InterruptionScope(std::function<bool()> wanted, std::optional<TimeLimit> limit)
    : m_wanted(std::move(wanted)), m_limit(std::move(limit)), m_outer(std::exchange(t_scope, this)) {
}

InterruptionScope::~InterruptionScope() {
  t_scope = m_outer;
}

bool InterruptionScope::is_over_by_force() const {
#ifdef PYRO_CRASH_POINTS
  return look_of_the_end() > 0 && m_looks >= look_of_the_end();
#else
  return false;
#endif
}

bool InterruptionScope::is_over() const {
  return m_limit && (is_over_by_force() || std::chrono::steady_clock::now() - m_began >= m_limit->duration);
}

bool interruption_wanted() {
#ifdef PYRO_CRASH_POINTS
  if (t_scope != nullptr) {
    ++t_scope->m_looks;
  }
#endif
  return t_scope != nullptr && !t_scope->m_spent
         && ((t_scope->m_wanted && t_scope->m_wanted()) || t_scope->is_over());
}

void spend_interruption() {
  if (t_scope != nullptr) {
    t_scope->m_spent = true;
  }
}

Error interruption_error() {
  spend_interruption();
  if (t_scope != nullptr && t_scope->is_over()) {
    const auto& limit = *t_scope->m_limit;
    return Error(
               ErrorCode::timeout, "{} did not end within {}", limit.operation,
               format_duration(limit.duration))
        .with_hint("run the same command again to go on, with more time");
  }
  return Error(ErrorCode::interrupted, "interrupted").with_hint("run the same command again to go on");
}

void check_interruption() {
  if (interruption_wanted()) {
    throw interruption_error();
  }
}

} // namespace pyro
