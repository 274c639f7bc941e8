// Text helpers that every front needs: the nearest of some names, and bytes of a guest made safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pyro::operations {

/// The candidate that `text` is probably a misspelling of; empty if none is near.
std::string nearest(std::string_view text, const std::vector<std::string>& candidates);

/// The same bytes where they are UTF-8, U+FFFD for each byte that is not: JSON takes nothing else.
std::string to_utf8(std::string_view bytes);

/// One line for a terminal: control characters (also ESC and the C1 set) as \x1b, so that a guest cannot
/// drive the terminal of who looks at it. Tabs stay, line ends become \n as two characters.
std::string escape_controls(std::string_view text);

} // namespace pyro::operations
