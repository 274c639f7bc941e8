// Files and directories that a pyro.yaml names. In the checkout they are opened beneath it, so a symlink that
// leads out is refused; elsewhere as they are written, which somebody agreed to (trust.hpp).
#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace pyro::workspace {

/// `directory` is the checkout. nullopt: there is no such file. Error(permission) where it leads out.
std::optional<std::string>
maybe_read_named(const std::string& directory, const std::string& path, std::size_t limit);

/// The absolute path of what is read by others, without symlinks: they open it by os::open_found(), so that
/// nobody leads them elsewhere meanwhile. What does not exist comes back as it is written.
std::string resolved_path(const std::string& directory, const std::string& path);

} // namespace pyro::workspace
