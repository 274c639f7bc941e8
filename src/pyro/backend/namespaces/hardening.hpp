// What a sandboxed process gives up for good before anything of the user's runs.
#pragma once

#include <cstdint>

namespace pyro::backend::namespaces {

/// Keeps the capabilities that a container has by default (less MKNOD and NET_RAW): bounding, permitted,
/// effective. Ambient ends empty, inheritable with what the agent takes from there and gives up.
void drop_capabilities();

/// prctl(PR_SET_NO_NEW_PRIVS) and the seccomp filter of filter/generate.cpp.
void enter_seccomp();

/// Core dumps off, at most `pids` processes where that limit is not 0 (RLIMIT_NPROC counts per user
/// namespace), and for each of them as many descriptors that all together are half of what the machine has
/// (`file_max`), but 1024. Signals, queues and locked memory: as many as this process may.
void set_resource_limits(std::int64_t pids, std::uint64_t file_max);

} // namespace pyro::backend::namespaces
