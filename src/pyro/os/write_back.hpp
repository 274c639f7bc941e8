// Dirty pages of files to their disk, for one reason: a store through a shared mapping changes a file's times
// only where its page is clean and therefore write-protected. Who wants to know by its times that a file has
// not changed writes it back first.
#pragma once

namespace pyro::os {

/// Does a store to a clean page of a shared mapping change the times here (ext4, XFS, Btrfs)? On tmpfs it
/// never does, and others are not known.
bool marks_mapped_stores(int fd);

/// Begins to write the file's dirty pages. A failure shows in finish_write_back().
void start_write_back(int fd);

/// Writes what is dirty and waits for it. False: something may be dirty still.
bool finish_write_back(int fd);

} // namespace pyro::os
