// Where pyro-launcher is, seen from libpyro.so: where it was installed with it, or beside it in a build.
#pragma once

#include <string>

namespace pyro::capi {

/// Nothing but the library's own path decides. Throws Error(unavailable) that names the places.
std::string launcher_place();

} // namespace pyro::capi
