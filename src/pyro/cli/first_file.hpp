// The pyro.yaml that `pyro init` writes, by what the directory holds.
#pragma once

#include <string>

namespace pyro::cli {

/// "cmake", "node", "python", "go", "rust" or "generic".
std::string kind_of_directory(const std::string& directory);

/// The commented file for a kind; `name` is the workspace's.
std::string first_file(const std::string& kind, const std::string& name);

} // namespace pyro::cli
