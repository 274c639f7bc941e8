// What runs in a sandbox again after it was started on other content: what pyro.yaml declares.
#pragma once

#include "resolve_inputs.hpp"

#include <pyro/store/layer_stack.hpp>
#include <pyro/workspace/context/project_secrets.hpp>
#include <pyro/workspace/state/locate.hpp>

#include <optional>

namespace pyro::workspace {

/// What services are started with, found before anything is ended for them. Refers to its Located.
struct PreparedStart {
  const LoadedProject& project;
  ResolvedInputs resolved;
  ProjectSecrets secrets;
};

/// Throws what could only fail once the workspace has been changed: a secret or an env file that is not
/// there, a port of this machine that is taken. With `content` also users that it does not have. nullopt: no
/// file stands behind it.
std::optional<PreparedStart> prepare_start(
    Context& context, const Located& located, const LockedWorkspace& workspace,
    const std::optional<store::LayerStack>& content);

/// The declared services, running and ready, with their ports published. Saves the record.
Json restart_services(
    Context& context, const LoadedProject& project, const ResolvedInputs& resolved, ProjectSecrets& secrets,
    LockedWorkspace& workspace);
/// The same for what was prepared; [] and nothing done where nothing was.
Json restart_services(Context& context, std::optional<PreparedStart>& prepared, LockedWorkspace& workspace);

} // namespace pyro::workspace
