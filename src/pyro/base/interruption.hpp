// The caller's wish to stop, or the end of the time that the caller gave, within reach of whatever blocks for
// long (locks, child processes, archives). A front opens a scope around an operation; code below polls. The
// wish is granted once per scope, so what cleans up after it is not interrupted again.
#pragma once

#include "error.hpp"

#include <chrono>
#include <functional>
#include <optional>
#include <string>

namespace pyro {

/// How long an operation may take, all in all.
struct TimeLimit {
  std::string operation; // "apply"
  std::chrono::milliseconds duration{0};
};

/// For this thread, while it lives; `wanted` may be empty.
class InterruptionScope {
public:
  explicit InterruptionScope(std::function<bool()> wanted, std::optional<TimeLimit> limit = std::nullopt);
  ~InterruptionScope();
  InterruptionScope(const InterruptionScope&) = delete;
  InterruptionScope& operator=(const InterruptionScope&) = delete;

private:
  friend bool interruption_wanted();
  friend void spend_interruption();
  friend Error interruption_error();

  bool is_over() const;
  bool is_over_by_force() const;

  std::function<bool()> m_wanted;
  std::optional<TimeLimit> m_limit;
  std::chrono::steady_clock::time_point m_began = std::chrono::steady_clock::now();
  InterruptionScope* m_outer;
  bool m_spent = false;
  long m_looks = 0; // counted for tests
};

/// Should this thread stop, and was nobody told yet?
bool interruption_wanted();

/// An error that tells of it is about to be thrown: nobody else is told.
void spend_interruption();

/// What to throw then: Error(interrupted), or Error(timeout) where the time is over. It is spent by that.
Error interruption_error();

/// Throws interruption_error(), once per scope. Call where everything can be taken back.
void check_interruption();

} // namespace pyro
