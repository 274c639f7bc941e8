// What to say of a name that is not there.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pyro {

/// The candidate that `word` is probably a misspelling of; empty if none is near.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

/// A hint: "did you mean 'ready'? There are baseline, ready" or "there are baseline, ready"; of many the
/// first ones. Empty for no names.
std::string names_hint(std::string_view word, std::vector<std::string> names);

} // namespace pyro
