// From a loaded project and what is there to a plan in all its forms.
#pragma once

#include "observe.hpp"
#include "resolve_inputs.hpp"

#include <pyro/plan/plan.hpp>

#include <chrono>
#include <string>

namespace pyro::workspace {

struct Planned {
  plan::Observed observed;
  plan::Plan plan;
  std::string text;
  Json document;
};

/// The backend that the spec accepts; what it or this version cannot do is refused at its place in the file.
const backend::Backend& backend_for(const Context& context, const LoadedProject& project);

/// `record`: null where there is no workspace yet. `started`: when the command began, for the plan's header.
Planned make_planned(
    Context& context, const LoadedProject& project, const ResolvedInputs& resolved, ProjectSecrets& secrets,
    const store::WorkspaceRecord* record, const backend::Backend& backend, UseCache use_cache, bool color,
    std::chrono::milliseconds started);

/// What `pyro plan` shows, and a plan that was shown is held against: nothing is built or fetched for it.
Planned plan_without_building(
    Context& context, const LoadedProject& project, const store::WorkspaceRecord* record, bool color,
    std::chrono::milliseconds started);

} // namespace pyro::workspace
