// Which pyro.yaml is meant by who names none: the one of this directory, else the nearest above it, as git
// finds a repository.
#pragma once

#include <optional>
#include <string>

namespace pyro::workspace {

/// "..", "../.." and so on, where this directory has no pyro.yaml and one above it has; nullopt: here, or
/// nowhere. Looked for up to the home directory and no further than this file system. Throws
/// Error(permission) where what is found, or its directory, is somebody else's.
std::optional<std::string> project_directory_above();

} // namespace pyro::workspace
