// A backend for tests about records, limits and failures: its sandbox is one process that sleeps, nothing can
// be run in it. Whether a start succeeds is the test's to say. Never part of pyro itself.
#pragma once

#include <pyro/backend/backend.hpp>

#include <atomic>
#include <memory>
#include <string>

namespace pyro::backend::fake {

/// What the test decides and sees; shared by all backends made with it.
struct Controls {
  /// A start fails as if this one sandbox could not be made; nothing is left.
  std::atomic<bool> fails_to_start{false};
  /// Only the start of this number does, counted from 1; 0: none.
  std::atomic<int> failing_start{0};
  /// The machine lacks what the isolation needs: probe() says so and every start fails.
  std::atomic<bool> is_unavailable{false};
  std::atomic<int> starts{0};
};

std::unique_ptr<Backend> make_backend(std::shared_ptr<Controls> controls);

/// Kills the sandbox as if its guest had died. `sandbox_pid` as records tell it.
void kill_guest(int sandbox_pid);

} // namespace pyro::backend::fake
