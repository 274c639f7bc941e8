// What has to work on a full disk too, in whatever operation it comes up: to note that a sandbox has ended,
// and to move something out of the way. An operation that frees space as a whole holds a store::LentReserve.
#pragma once

#include <pyro/base/error.hpp>
#include <pyro/store/disk_reserve.hpp>
#include <pyro/workspace/context/context.hpp>

namespace pyro::workspace {

/// Does it; where the disk is full once more with the reserve lent. `work` must bear being begun twice.
template <typename Work>
void with_disk_reserve(const Context& context, Work&& work) {
  try {
    work();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::disk_full) {
      throw;
    }
    const store::LentReserve reserve(context.base);
    work();
  }
}

} // namespace pyro::workspace
