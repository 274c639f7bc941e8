// How much a group of processes takes: what files of control groups (v1 and v2) and of /proc say of it. The
// words for it are in base/resource_use.hpp.
#pragma once

#include <pyro/base/resource_use.hpp>

#include <sys/types.h>

#include <string>
#include <vector>

namespace pyro::os {

/// What the control groups in these directories count, those of different hierarchies together; without what
/// nobody counts there.
ResourceUse use_of_cgroups(const std::vector<std::string>& directories);

/// Of one process of this machine, with its threads; all absent where there is none.
ResourceUse use_of_process(pid_t pid);

/// Of the whole machine that we run on; without a number of processes.
ResourceUse use_of_machine();

/// Times in /proc are in ticks.
std::uint64_t usec_of_ticks(std::uint64_t ticks);

} // namespace pyro::os
