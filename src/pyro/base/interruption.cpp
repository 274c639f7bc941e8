#include "interruption.hpp"

#include "text.hpp"
#include "units.hpp"

#include <utility>

namespace pyro {

namespace {

thread_local InterruptionScope* t_scope = nullptr;

} // namespace

InterruptionScope::InterruptionScope(std::function<bool()> wanted, std::optional<TimeLimit> limit)
    : m_wanted(std::move(wanted)), m_limit(std::move(limit)), m_outer(std::exchange(t_scope, this)) {
}

InterruptionScope::~InterruptionScope() {
  t_scope = m_outer;
}

bool InterruptionScope::is_over() const {
  return m_limit && std::chrono::steady_clock::now() - m_began >= m_limit->duration;
}

bool interruption_wanted() {
  return t_scope != nullptr && !t_scope->m_spent
         && ((t_scope->m_wanted && t_scope->m_wanted()) || t_scope->is_over());
}

void spend_interruption() {
  if (t_scope != nullptr) {
    t_scope->m_spent = true;
  }
}

Error interruption_error() {
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
    spend_interruption();
    throw interruption_error();
  }
}

} // namespace pyro
