// What every part of the agent needs at hand.
#pragma once

#include "left_pipes.hpp"
#include "lineage.hpp"
#include "memory_kills.hpp"
#include "reaper.hpp"

#include <pyro/os/event_loop.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/protocol/requests.hpp>

#include <cstdint>
#include <map>
#include <string>

namespace pyro::agent {

struct Runtime {
  os::EventLoop& loop;
  Reaper& reaper;
  /// Pid 1 of a sandbox: all processes are ours. Otherwise (tests) just our descendants.
  bool is_init = false;
  std::string secrets_dir = "/run/secrets";
  /// Holds <part>/upper of the writable layers where the host cannot see them; empty: it can.
  std::string upper_dir;
  /// The first process of a virtual machine: what its disks do not have dies with it.
  bool is_guest = false;
  MemoryKills memory_kills{};
  /// The null device, opened before anybody inside could put something else in its place.
  os::Fd nothing{};
  /// The last time that everybody was ended from outside (/processes/end), and how often that was.
  protocol::ProcessesEnd last_end;
  std::uint64_t ends = 0;
  LeftPipes left_pipes{};
  /// Of every service that has run, its last run.
  std::map<std::string, Lineage> services{};
};

} // namespace pyro::agent
