// What the gateway's process may ask of the kernel. It reads what the workspace and the Internet send: who
// finds a way into it finds neither a program to start nor a file to write.
#pragma once

namespace pyro::gateway {

/// From now on, for good: connections, names, and reading the files that say whom to ask and whom to trust.
/// Everything else fails with EPERM (seccomp(2)). Nothing is loaded into it any more: libraries are there
/// before. Throws where the kernel has no filters.
void confine_process();

} // namespace pyro::gateway
