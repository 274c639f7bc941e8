// Which EROFS images nobody needs any more. For gc.cpp, which removes them.
#pragma once

#include "gc.hpp"
#include "layers.hpp"

#include <vector>

namespace pyro::store {

/// Images whose layer is gone, and of this machine's directories all but the newest of each.
std::vector<GcItem> unneeded_images(const LayerStore& layers);

} // namespace pyro::store
