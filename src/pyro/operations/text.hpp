// Text helpers that every front needs: the nearest of some names, and bytes of a guest made safe.
#pragma once

#include <pyro/base/safe_text.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace pyro::operations {

/// The candidate that `text` is probably a misspelling of; empty if none is near.
std::string nearest(std::string_view text, const std::vector<std::string>& candidates);

using pyro::escape_controls;
using pyro::escape_lines;
using pyro::to_utf8;

} // namespace pyro::operations
