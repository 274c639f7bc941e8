// Text helpers of the fronts under one name: bytes of a guest made safe, the nearest of some names.
#pragma once

#include <pyro/base/names.hpp>
#include <pyro/base/safe_text.hpp>

namespace pyro::operations {

using pyro::escape_controls;
using pyro::escape_lines;
using pyro::nearest;
using pyro::to_utf8;

} // namespace pyro::operations
