// What every part of the agent needs at hand.
#pragma once

#include "reaper.hpp"

#include <pyro/os/event_loop.hpp>

#include <string>

namespace pyro::agent {

struct Runtime {
  os::EventLoop& loop;
  Reaper& reaper;
  /// Pid 1 of a sandbox: all processes are ours. Otherwise (tests) just our descendants.
  bool is_init = false;
  std::string secrets_dir = "/run/secrets";
};

} // namespace pyro::agent
