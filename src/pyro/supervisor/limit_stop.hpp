// Why the processes of a sandbox are ended though nobody asked for it.
#pragma once

#include <functional>
#include <string>

namespace pyro::supervisor {

struct LimitStop {
  std::string code;   // "disk_limit", "disk_entries", "disk_reserve", "user_limit"
  std::string reason; // a sentence without its end
};

/// Ends every process but the agent, and calls back when that is done; called while the sandbox may stand
/// still.
using StopProcesses = std::function<void(const LimitStop&, std::function<void()> ended)>;

} // namespace pyro::supervisor
