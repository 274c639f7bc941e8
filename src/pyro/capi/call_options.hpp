// What a C caller hands to pyro_call(), checked.
#pragma once

#include "c_header.hpp"
#include "library.hpp"

#include <atomic>

struct pyro_cancel {
  std::atomic<bool> is_requested = false;
};

namespace pyro::capi {

/// NULL is {}. Throws Error(invalid_argument) for what is no JSON or longer than can be passed on.
Json parameters_of(const char* text);

/// NULL is no wishes. Throws Error(invalid_argument) for options of another version that say more than we
/// know.
CallWishes wishes_of(const pyro_call_options* options);

} // namespace pyro::capi
