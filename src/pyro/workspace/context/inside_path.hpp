// Paths in /workspace as callers write them, found in the layers without entering the sandbox.
#pragma once

#include <pyro/store/layered_view.hpp>

#include <string>

namespace pyro::workspace {

/// "/workspace/a/b", "a/b" and "./a//b" are all "a/b", the workspace itself is "". Throws
/// Error(invalid_argument) "`what` must stay inside /workspace" for everything else.
std::string path_inside(const std::string& path, std::string_view what);

enum class LastLink { follow, keep };

/// The same place without symlinks on the way (LastLink::follow: nor at its end), relative to /workspace.
/// What does not exist yet stays as it is written. Error(invalid_argument) where a symlink leads out, and
/// below Stack::live.
std::string real_path_inside(const store::LayeredView& view, const std::string& path, LastLink last);

/// What lies at a path relative to /workspace.
std::optional<store::Found> find_inside(const store::LayeredView& view, const std::string& path);

} // namespace pyro::workspace
