// What the first process of a sandbox does between clone3 and the agent.
#pragma once

#include <pyro/backend/launch_spec.hpp>
#include <pyro/os/fd.hpp>

#include <string>

namespace pyro::backend::namespaces {

/// What is known only where this machine's network and processes are.
struct FromOutside {
  std::string resolv_conf; // for inside; empty without egress
  os::Fd memory_events;    // of its control group; empty: memory is not limited
  int oom_score = 0;       // of everything but the agent (proc(5), oom_score_adj)
};

/// Never returns: ends in the agent, or reports the Error on `control` and exits.
[[noreturn]] void
run_sandbox_init(const LaunchSpec& spec, const FromOutside& outside, os::Fd control, os::Fd channel);

} // namespace pyro::backend::namespaces
