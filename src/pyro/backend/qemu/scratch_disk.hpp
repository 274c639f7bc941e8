// The disk of a guest that holds its writable layer: a sparse file with an ext4 file system.
#pragma once

#include <cstdint>
#include <string>

namespace pyro::backend::qemu {

/// Makes an empty one with mke2fs. Equal sizes give equal disks. Not durable, not atomic: for names that
/// nobody looks for.
void make_scratch_disk(const std::string& path, std::uint64_t bytes);

/// A copy in place at once, as a reflink where the file system can; tells how ("reflink" or "sparse_copy").
std::string copy_scratch_disk(const std::string& from, const std::string& to);

} // namespace pyro::backend::qemu
