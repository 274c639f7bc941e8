// How a call of an operation ended.
#pragma once

#include <pyro/base/json_access.hpp>

namespace pyro::mcp {

struct CallOutcome {
  bool ok = false;
  Json value;             // the operation's result, or its Error as to_json() writes it
  bool cancelled = false; // it ended because somebody wanted that
};

} // namespace pyro::mcp
