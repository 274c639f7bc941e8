// What is there, for the planner.
#pragma once

#include "layer_builder.hpp"
#include "resolve_inputs.hpp"

#include <pyro/plan/observed.hpp>
#include <pyro/workspace/context/project_secrets.hpp>
#include <pyro/workspace/state/find_and_lock.hpp>

namespace pyro::workspace {

enum class UseCache { yes, no };

struct ObserveRequest {
  UseCache use_cache = UseCache::yes;
  bool drift = true; // look for what was changed inside
};

/// `record` null: there is no workspace yet.
plan::Observed observe(
    Context& context, const LoadedProject& project, const ResolvedInputs& resolved, ProjectSecrets& secrets,
    const store::WorkspaceRecord* record, const ObserveRequest& request);

/// The host names of capabilities that plan/ asks for.
std::set<std::string> capability_names(const backend::Capabilities& capabilities);

} // namespace pyro::workspace
