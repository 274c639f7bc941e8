// Checks parameters against the subset of JSON Schema that the operation table uses: type, enum, minimum,
// required, properties, additionalProperties, items. A key outside that subset in a schema is a bug and
// throws (internal), so a schema can never promise what is not checked.
#pragma once

#include <pyro/base/json_access.hpp>

#include <string>

namespace pyro::operations {

/// Throws Error(invalid_argument) that names the parameter: "apply: 'vars.port' must be a string, not an
/// integer".
void check_parameters(const std::string& operation, const Json& schema, const Json& parameters);

/// Does `value` fit? The first thing that does not, or empty. For results in tests and for writing.
std::string mismatch(const Json& schema, const Json& value);

} // namespace pyro::operations
