// Where tests with virtual machines find a guest kernel, fetched once (support/fetch_guest.cpp), and saved
// guests.
#pragma once

#include <filesystem>

namespace pyro::testing {

/// In the build for whom it belongs to, else one of the user's own in the temporary directory. Holds cache/
/// (as PYRO_ENVIRONMENT_CACHE_DIR) and templates/ (as PYRO_TEMPLATES).
std::filesystem::path guest_directory();

} // namespace pyro::testing
