#include "sync_writes.hpp"

#include <pyro/os/fd.hpp>

#include <cstdlib>
#include <fcntl.h>
#include <unistd.h>

namespace pyro::agent {

namespace {

/// So little is written back faster than a process is made to do it.
constexpr long k_little_kib = 4096;

/// About what waits to be written back, in KiB; a few pages may be missing (the kernel counts in batches).
long dirty_kib() {
  const auto text = os::maybe_read_file("/proc/meminfo", 64 << 10).value_or("");
  const auto at = text.find("\nDirty:");
  return at == std::string::npos ? k_little_kib + 1 : std::atol(text.c_str() + at + 7);
}

bool write_back(const std::string& directory) {
  const int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool done = fd >= 0 && ::syncfs(fd) == 0;
  ::close(fd);
  return done;
}

} // namespace

void sync_writes(Runtime& runtime, std::function<void()> done) {
  if (!runtime.is_guest) {
    done();
    return;
  }
  if (dirty_kib() <= k_little_kib) {
    write_back(runtime.upper_dir);
    done();
    return;
  }
  const auto child = ::fork();
  if (child == 0) {
    ::_exit(write_back(runtime.upper_dir) ? 0 : 1);
  }
  if (child < 0) {
    done(); // the kernel writes back by itself within a second
    return;
  }
  runtime.reaper.watch(child, [done = std::move(done)](os::Outcome) { done(); });
}

} // namespace pyro::agent
