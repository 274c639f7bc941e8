// include/pyro/pyro.h for C++ that has our namespace: its type `pyro` has the same name, and is
// `pyro_library` here. Types have no part in the names of C functions. And those functions are what this
// library shows, of all that it has.
#pragma once

namespace pyro::capi {
struct LibraryOptions;
class Library;
} // namespace pyro::capi

#define pyro pyro_library
#pragma GCC visibility push(default)
#include <pyro/pyro.h>
#pragma GCC visibility pop
#undef pyro
