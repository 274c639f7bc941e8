// Is a file of this machine the same one on the node, by the same path? A checkout is read where it lies, on
// a file system that both share; one that only looks like it would make another workspace.
#pragma once

#include <pyro/base/json_access.hpp>

#include <string>

namespace pyro::node {

/// The file's identity, for the other end.
Json describe_shared(const std::string& path);

/// Error(input_missing) where it is not that file here: by inode, time of its last change and content.
void require_shared(const Json& described);

} // namespace pyro::node
