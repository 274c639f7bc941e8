// Directories of this machine that a workspace shows as they are (mounts of pyro.yaml): found and checked
// when planning, and again before every start, while all that ran still runs.
#pragma once

#include "project.hpp"

#include <pyro/backend/launch_spec.hpp>
#include <pyro/store/layer_stack.hpp>
#include <pyro/store/workspace_record.hpp>

#include <string>
#include <vector>

namespace pyro::workspace {

/// Of the file, without symlinks. Error(input_missing) where a directory is not there, Error(permission)
/// where a symlink leads out of the checkout or the directory is none to show, Error(unavailable) for what
/// this user cannot have; each at its place in the file.
std::vector<store::LiveMount> resolve_mounts(const Context& context, const LoadedProject& project);

/// What its sandbox is started with on this content. Throws as above, and Error(invalid_argument) where
/// something else than a directory lies where one is to be shown.
std::vector<backend::LiveMount> live_mounts_of(
    const Context& context, const store::WorkspaceRecord& record, const store::LayerStack& content);

/// For people: that what was done to the content left them as they are. Empty where there are none.
std::string live_mounts_kept(const std::vector<store::LiveMount>& mounts);

} // namespace pyro::workspace
