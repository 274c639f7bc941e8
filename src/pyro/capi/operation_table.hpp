// schemas/operations/operations.json as it was when the library was built.
#pragma once

#include <string_view>

namespace pyro::capi {

std::string_view operation_table();

} // namespace pyro::capi
