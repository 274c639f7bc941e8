#include "guest_directory.hpp"

#include "files.hpp"

#include <unistd.h>

namespace pyro::testing {

std::filesystem::path guest_directory() {
  if (::access(binary_dir().c_str(), W_OK) == 0) {
    return binary_dir() / "guest";
  }
  return std::filesystem::temp_directory_path() / ("pyro-guest-" + std::to_string(::geteuid()));
}

std::filesystem::path guest_modules(const std::string& version) {
  return guest_directory() / "modules" / version;
}

} // namespace pyro::testing
