#include "spare_memory.hpp"

#include <sys/mman.h>

#include <cstdint>
#include <malloc.h>
#include <tuple>
#include <unistd.h>

namespace pyro::os {

void give_back_spare_memory() {
  ::malloc_trim(0);
  constexpr std::uintptr_t k_most = 256 << 10;
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto ours = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0)) & ~(page - 1);
  const auto end = ours - 2 * page; // of this function and what it calls
  // What of it was never touched is not mapped, which the kernel says when it has let go of the rest.
  std::ignore = ::madvise(reinterpret_cast<void*>(end - k_most), k_most, MADV_DONTNEED);
}

} // namespace pyro::os
