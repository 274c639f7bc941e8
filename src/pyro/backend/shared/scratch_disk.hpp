// The disk of a virtual machine that holds its writable layer: a sparse file with an ext4 file system.
#pragma once

#include <cstdint>
#include <string>

namespace pyro::backend {

/// Makes an empty one with mke2fs. Equal sizes give equal disks. Not durable, not atomic: for names that
/// nobody looks for.
void make_ext4_disk(const std::string& path, std::uint64_t bytes);

} // namespace pyro::backend
