// A JSON document written as YAML 1.2, for people.
#pragma once

#include <pyro/base/json_access.hpp>

#include <string>

namespace pyro::cli {

/// Block style, keys in order, texts of several lines as literal blocks. What reads it back gets the same
/// document.
std::string to_yaml(const Json& document);

} // namespace pyro::cli
