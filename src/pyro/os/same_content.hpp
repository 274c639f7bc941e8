// Do two open files hold the same bytes? For whole entries of layers see store/content_compare.hpp.
#pragma once

namespace pyro::os {

/// From the current positions to the ends.
bool same_bytes(int one, int other);

} // namespace pyro::os
