// Which paths lie below which, by their text alone: both absolute, or both relative to the same place, and
// without
// ".", ".." and doubled slashes.
#pragma once

#include <string_view>

namespace pyro {

/// "a/b" is below "a"; "a" and "ab" are not.
bool is_below(std::string_view path, std::string_view directory);

/// The same, or the directory itself. Everything is at or below "/" and "".
bool is_at_or_below(std::string_view path, std::string_view directory);

} // namespace pyro
