// --output sarif of validate: its diagnostics as a log that code scanners and forges read (SARIF 2.1.0).
#pragma once

#include <pyro/base/json_access.hpp>

namespace pyro::cli {

Json sarif_log(const Json& validation);

} // namespace pyro::cli
