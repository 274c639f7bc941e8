// The caller's wish to stop, within reach of whatever blocks for long (locks, child processes, archives).
// A front opens a scope around an operation; code below polls. The wish is granted once per scope, so what
// cleans up after it is not interrupted again.
#pragma once

#include <functional>

namespace pyro {

/// For this thread, while it lives; `wanted` may be empty.
class InterruptionScope {
public:
  explicit InterruptionScope(std::function<bool()> wanted);
  ~InterruptionScope();
  InterruptionScope(const InterruptionScope&) = delete;
  InterruptionScope& operator=(const InterruptionScope&) = delete;

private:
  friend bool interruption_wanted();
  friend void spend_interruption();

  std::function<bool()> m_wanted;
  InterruptionScope* m_outer;
  bool m_spent = false;
};

/// Should this thread stop, and was nobody told yet?
bool interruption_wanted();

/// Somebody acts on it: nobody else is told.
void spend_interruption();

/// Throws Error(interrupted), once per scope. Call where everything can be taken back.
void check_interruption();

} // namespace pyro
