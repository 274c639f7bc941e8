// How long each action of the last apply took that did something, for `timing`. Beside the workspace's
// record, written without fsync: nothing depends on it.
#pragma once

#include <pyro/base/json_access.hpp>
#include <pyro/store/layout.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace pyro::workspace {

class ApplyTimings {
public:
  ApplyTimings();

  /// `after`: addresses of what it waits for.
  void begin(const std::string& address, std::string_view action, const std::vector<std::string>& after);
  void end(const std::string& address);

  /// Nothing where nothing was begun. `failure`: why it ended; empty: it did not fail. Never throws.
  void keep(const store::WorkspacePaths& paths, const std::string& failure) const noexcept;

private:
  struct Action {
    std::string address;
    std::string action;
    std::vector<std::string> after;
    std::chrono::milliseconds begun{0}; // since the apply began
    std::chrono::milliseconds took{-1}; // -1: it did not end
  };

  std::chrono::milliseconds m_began;
  double m_at;
  std::vector<Action> m_actions;
};

/// {"at", "total_ms", "failure", "actions": [{address, action, start_ms, duration_ms, is_done, critical}],
/// "critical_ms"}, in the order in which they began; the critical ones are those without which it would have
/// been over sooner. Null: nothing was applied yet.
Json last_timings(const store::WorkspacePaths& paths);

} // namespace pyro::workspace
