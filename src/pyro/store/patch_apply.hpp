// Hunks of a patch on the text of a file. Reading patches: patch_parse.hpp.
#pragma once

#include "patch_parse.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace pyro::store {

/// The patched text. A hunk whose lines stand elsewhere is applied there (the nearest place counts), but
/// every line must be the same. Throws Error(bad_state) "patch does not apply: PATH:LINE".
std::string
apply_hunks(std::string_view content, const std::vector<PatchHunk>& hunks, const std::string& path);

} // namespace pyro::store
