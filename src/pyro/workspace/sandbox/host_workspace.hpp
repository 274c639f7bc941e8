// /workspace for a backend without a root of its own: a whole copy in the writable layer, marked so that
// nothing of the layers below shows through. To everybody who reads generations (diff, snapshot, export) it
// is an upper directory like any other.
#pragma once

#include <pyro/store/layered_view.hpp>
#include <pyro/workspace/context/context.hpp>

#include <string>

namespace pyro::workspace {

/// Fills <generation>/root/upper/workspace from the stack; where it is there already it stays. Returns how it
/// was copied, the clone_mode: "reflink" or "sparse_copy".
std::string place_workspace(const store::Stack& stack, const std::string& generation_dir);

} // namespace pyro::workspace
