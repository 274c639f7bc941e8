// Are two entries the same? For whole trees use diff.hpp.
#pragma once

#include "layered_view.hpp"

namespace pyro::store {

/// Type, mode and owner; not times, size or link counts.
bool same_metadata(const struct stat& one, const struct stat& other);

/// Of two entries of the same type: file content, link target; directories and anything else are the same.
bool same_content(const Found& one, const Found& other);

} // namespace pyro::store
