// What to say of a name that is not there.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace pyro {

/// The candidate that `word` is probably a misspelling of; empty if none is near.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

/// "a, b and 3 more": at most `most` of them by name.
std::string listed(std::vector<std::string> names, std::size_t most);

/// A hint: "did you mean 'ready'? There are baseline, ready" or "there are baseline, ready"; of many the
/// first ones. Empty for no names.
std::string names_hint(std::string_view word, std::vector<std::string> names);

} // namespace pyro
