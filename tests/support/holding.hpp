// Whether something of the host is among a directory's files, also while others still remove some of them.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace pyro::testing {

/// Regular files of less than 1 MB below `root` that contain `text` and that we may read. What vanishes
/// meanwhile is passed over; symlinks are not followed.
std::vector<std::string> files_holding(const std::filesystem::path& root, const std::string& text);

} // namespace pyro::testing
