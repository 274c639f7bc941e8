// The version of this build, for `pyro --version` and the version operation. Costs nothing to ask.
#pragma once

#include <string_view>

namespace pyro::operations {

/// "0.1.0"
std::string_view version();

} // namespace pyro::operations
