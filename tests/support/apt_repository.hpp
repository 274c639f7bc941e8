// A repository for apt with one small package, "pyro-hello", made with dpkg-deb.
#pragma once

#include "files.hpp"

namespace pyro::testing {

/// A flat one (`deb [trusted=yes] URL ./`) in that directory.
void make_apt_repository(const fs::path& directory);

} // namespace pyro::testing
