// Saving what only spares work next time. Whatever is in the way (a full disk, a read-only one) must not fail
// the operation that did the work; what is lost is made again.
#pragma once

#include "error.hpp"
#include "log.hpp"

#include <string_view>

namespace pyro {

/// False: it is not saved; PYRO_LOG has why. `save` leaves nothing behind that a reader could take for whole.
template <typename Save>
bool save_spare(std::string_view what, Save&& save) {
  try {
    save();
    return true;
  } catch (const Error& error) {
    log::debug("not saved: {}: {}", what, error.what());
    return false;
  }
}

} // namespace pyro
