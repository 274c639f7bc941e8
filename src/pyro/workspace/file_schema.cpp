#include "manager.hpp"

#include <pyro/spec/schema.hpp>

namespace pyro::workspace {

Json file_schema() {
  return spec::json_schema();
}

} // namespace pyro::workspace
