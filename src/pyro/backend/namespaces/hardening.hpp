// What a sandboxed process gives up for good before anything of the user's runs.
#pragma once

#include <cstdint>

namespace pyro::backend::namespaces {

/// Keeps the capabilities that a container has by default (less MKNOD and NET_RAW): bounding, permitted,
/// effective; inheritable and ambient end empty.
void drop_capabilities();

/// prctl(PR_SET_NO_NEW_PRIVS) and the seccomp filter of filter/generate.cpp.
void enter_seccomp();

/// Core dumps off, and at most `pids` processes where that limit is not 0 (RLIMIT_NPROC counts per user
/// namespace).
void set_resource_limits(std::int64_t pids);

} // namespace pyro::backend::namespaces
