// What has to work on a full disk too: to end a workspace, and to note that one has ended. For that the base
// directory keeps a reserve.
#pragma once

#include <pyro/base/error.hpp>
#include <pyro/workspace/context/context.hpp>

namespace pyro::workspace {

/// Does it; where the disk is full once more with the reserve given back. `work` must bear being begun twice.
template <typename Work>
void with_disk_reserve(const Context& context, Work&& work) {
  try {
    work();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::disk_full) {
      throw;
    }
    context.base.spend_reserve();
    work();
  }
}

} // namespace pyro::workspace
