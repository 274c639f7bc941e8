// A file that is JSON is YAML, but for one thing: JSON writes characters beyond U+FFFF as two escapes.
#pragma once

#include <string>

namespace pyro::spec {

/// Of a JSON document the pairs (\ud83d\ude00) become YAML's escapes (\U0001F600), with everything behind
/// the string staying at its column. Any other text comes back as it is.
std::string with_yaml_escapes(std::string text);

} // namespace pyro::spec
