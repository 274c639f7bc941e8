#include "version.hpp"

namespace pyro::operations {

std::string_view version() {
  return PYRO_VERSION;
}

} // namespace pyro::operations
