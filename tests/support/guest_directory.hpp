// Where tests with virtual machines find a guest kernel, fetched once (support/fetch_guest.cpp), and saved
// guests.
#pragma once

#include <filesystem>
#include <string>

namespace pyro::testing {

/// In the build for whom it belongs to, else one of the user's own in the temporary directory. Holds cache/
/// (as PYRO_ENVIRONMENT_CACHE_DIR) and templates/ (as PYRO_TEMPLATES).
std::filesystem::path guest_directory();

/// Modules of the guest kernel of that version that guests do not have: "order" lists them (support/guest).
std::filesystem::path guest_modules(const std::string& version);

} // namespace pyro::testing
