// JSON with comments and trailing commas, as editors keep their settings: one member is added and every other
// byte stays as it was.
#pragma once

#include "json_access.hpp"

#include <string>
#include <vector>

namespace pyro {

/// Throws Error(invalid_argument) naming the line of what is no JSON, even so; of keys that stand twice too.
Json parse_jsonc(const std::string& text);

/// The text with `value` as member `name` of the object that `sections` lead to, the first of them a member
/// of the root; those that are not there are made. Throws Error: invalid_argument as above, or where a
/// section or the root is no object; already_exists where the member is there.
std::string with_member(
    const std::string& text, const std::vector<std::string>& sections, const std::string& name,
    const Json& value);

} // namespace pyro
