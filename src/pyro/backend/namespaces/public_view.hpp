// What everybody may read of a directory of this machine, held by the kernel at every access
// (docs/decisions/0036). For the layers above it: sandbox_root.hpp.
#pragma once

#include <optional>
#include <string>

namespace pyro::backend::namespaces {

/// Mounts a view of "h/<name>" in the staging area and returns its name there. Whatever is not open to
/// everybody is refused below it, to whoever asks, also when it came or was closed after this. nullopt where
/// this cannot be had: with a single id, which is the user's own, and where the directory lies on an overlay
/// itself (two may be stacked, and the sandbox's own is the second). Ids must be those of the inside.
std::optional<std::string> mount_public_view(const std::string& name);

} // namespace pyro::backend::namespaces
