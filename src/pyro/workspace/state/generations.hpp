// Moving a workspace from one writable layer to another: the heart of create, start, reset, undo and replace.
#pragma once

#include "find_and_lock.hpp"
#include "kept_memory.hpp"

#include <pyro/os/clock.hpp>
#include <pyro/store/layer_stack.hpp>

#include <functional>
#include <string>

namespace pyro::workspace {

/// Keeps what the sandbox was given for the next one, whoever ends it and however. Where it does not tell, so
/// be it.
void remember_secrets(const Context& context, LockedWorkspace& workspace);

/// Ends the sandbox and records the workspace as stopped. Fine when it is stopped already.
void stop_workspace(Context& context, LockedWorkspace& workspace, std::chrono::milliseconds grace);

/// Starts the sandbox on the current writable layer. Services and secrets are the caller's business.
void start_workspace(Context& context, LockedWorkspace& workspace);

enum class KeepUndo { yes, no };

/// Gives the workspace other content: a new writable layer on `stack`, or the existing generation `existing`
/// (undo). The old writable layer becomes the undo point. Ends started; should the start fail it ends stopped
/// on the old one. `memory` has the same content with everything that ran on it: true where the workspace
/// goes on there, else it begins on `stack`.
bool switch_generation(
    Context& context, LockedWorkspace& workspace, const std::string& operation,
    const store::LayerStack& stack, int existing, KeepUndo keep_undo, const std::string& reason,
    const std::function<void(store::WorkspaceRecord&)>& change = {},
    const std::optional<KeptMemory>& memory = std::nullopt);

/// The number for a new writable layer.
int next_generation(const store::WorkspacePaths& paths, const store::WorkspaceRecord& record);

} // namespace pyro::workspace
