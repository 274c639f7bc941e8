// What a process changed of a file that it maps privately.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace pyro::backend::qemu {

/// Writes every page that the process has a copy of its own of, at the page's place in the file, into
/// `target`, which is as long as the file. `mapped` is the file's path as the process sees it; the process
/// must be ours (proc(5), /proc/pid/pagemap and /proc/pid/mem) and its mappings stand still. Returns the
/// bytes written. Throws Error(unavailable) where it maps no such file.
std::uint64_t copy_changed_pages(pid_t process, const std::string& mapped, int target);

} // namespace pyro::backend::qemu
