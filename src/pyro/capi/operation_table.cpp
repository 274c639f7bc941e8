#include "operation_table.hpp"

namespace pyro::capi {

namespace {

constexpr char k_table[] =
#include <pyro/capi/operations.json.inc>
    ;

} // namespace

std::string_view operation_table() {
  return {k_table, sizeof(k_table) - 1};
}

} // namespace pyro::capi
