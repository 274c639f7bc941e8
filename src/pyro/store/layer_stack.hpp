// What content stands on: layers of the store, bottom first, and directories of this machine below them.
#pragma once

#include "layered_view.hpp"

#include <pyro/base/sha256.hpp>

#include <vector>

namespace pyro::store {

struct LayerStack {
  std::vector<HexDigest> layers;
  std::vector<HostDirectory> host_directories;
};

} // namespace pyro::store
