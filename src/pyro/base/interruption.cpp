#include "interruption.hpp"

#include "error.hpp"

#include <utility>

namespace pyro {

namespace {

thread_local InterruptionScope* t_scope = nullptr;

} // namespace

InterruptionScope::InterruptionScope(std::function<bool()> wanted)
    : m_wanted(std::move(wanted)), m_outer(std::exchange(t_scope, this)) {
}

InterruptionScope::~InterruptionScope() {
  t_scope = m_outer;
}

bool interruption_wanted() {
  return t_scope != nullptr && !t_scope->m_spent && t_scope->m_wanted && t_scope->m_wanted();
}

void spend_interruption() {
  if (t_scope != nullptr) {
    t_scope->m_spent = true;
  }
}

void check_interruption() {
  if (interruption_wanted()) {
    spend_interruption();
    throw Error(ErrorCode::interrupted, "interrupted").with_hint("run the same command again to go on");
  }
}

} // namespace pyro
