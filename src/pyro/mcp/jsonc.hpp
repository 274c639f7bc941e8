// JSON with comments and trailing commas, as editors keep their settings: one member is added and every other
// byte stays as it was.
#pragma once

#include <pyro/base/json_access.hpp>

#include <string>

namespace pyro::mcp {

/// Throws Error(invalid_argument) naming the line of what is no JSON, even so; of keys that stand twice too.
Json parse_jsonc(const std::string& text);

/// The text with `value` as member `name` of the object `section` of the root, which is made where it is not
/// there. Throws Error: invalid_argument as above, or where section or root are no objects; already_exists
/// where the member is there.
std::string
with_member(const std::string& text, const std::string& section, const std::string& name, const Json& value);

} // namespace pyro::mcp
