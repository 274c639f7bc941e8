// clone3(2) for what runs isolated.
#pragma once

#include <sys/types.h>

#include <cstdint>

namespace pyro::backend {

/// Like fork(2), into new namespaces (CLONE_NEW*) and, where `cgroup` is not -1 and this machine allows it,
/// into that v2 group. `into_cgroup` tells whether it is there. Throws in the parent.
pid_t clone_process(std::uint64_t namespaces, int cgroup, bool& into_cgroup);

} // namespace pyro::backend
