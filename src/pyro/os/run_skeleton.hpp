// What an environment itself has in /run, for the file system that covers it: images make directories there
// for their services when they are built.
#pragma once

#include "fd.hpp"

namespace pyro::os {

/// Directories, with modes and owners, and symlinks of `from`, an untrusted tree, are made in `to` where they
/// are missing. Files, sockets and pipes are what processes left that are gone. Bounded; what cannot be made
/// is left out.
void copy_run_skeleton(int from, int to);

} // namespace pyro::os
