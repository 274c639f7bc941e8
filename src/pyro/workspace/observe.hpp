// What is there, for the planner.
#pragma once

#include "layer_builder.hpp"
#include "measure.hpp"
#include "workspace_handle.hpp"

#include <pyro/plan/observed.hpp>

namespace pyro::workspace {

enum class UseCache { yes, no };

/// `record` null: there is no workspace yet.
plan::Observed observe(
    Context& context, const LoadedProject& project, const Measured& measured,
    const store::WorkspaceRecord* record, UseCache use_cache);

/// The stack that drift is measured against: what the workspace stands on, services' first writes included
/// where they were captured.
LayerStack base_stack_of(const store::WorkspaceRecord& record);

/// The host names of capabilities that plan/ asks for.
std::set<std::string> capability_names(const backend::Capabilities& capabilities);

} // namespace pyro::workspace
