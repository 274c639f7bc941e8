// JSON with comments and trailing commas as JSON that is YAML too, every character at its place.
#pragma once

#include <string>
#include <string_view>

namespace pyro::foreign {

/// Comments, commas before an end and tabs between tokens become blanks; strings stay.
std::string without_comments(std::string_view text);

} // namespace pyro::foreign
