// From a loaded project and what is there to a plan in all its forms.
#pragma once

#include "observe.hpp"
#include "resolve_inputs.hpp"

#include <pyro/plan/plan.hpp>

#include <chrono>
#include <set>
#include <string>

namespace pyro::workspace {

struct Planned {
  std::set<std::string> left_out; // units that stay as they are: applied_source.hpp
  plan::Observed observed;
  plan::Plan plan;
  std::string text;
  Json document;
};

/// The backend that the spec accepts; what it or this version cannot do is refused at its place in the file.
const backend::Backend&
backend_for(const Context& context, const LoadedProject& project, const PlanChoice& choice);

struct PlanRequest {
  const backend::Backend& backend;
  UseCache use_cache = UseCache::yes;
  PlanChoice choice = {};
  bool color = false;
  std::chrono::milliseconds started{0}; // when the command began, for the plan's header
};

/// `record`: null where there is no workspace yet. Where the choice leaves something out, `project`,
/// `resolved` and `secrets` are afterwards those of the part that is left.
Planned make_planned(
    Context& context, LoadedProject& project, ResolvedInputs& resolved, ProjectSecrets& secrets,
    const store::WorkspaceRecord* record, const PlanRequest& request);

/// What `pyro plan` shows, and a plan that was shown is held against: nothing is built or fetched for it.
Planned plan_without_building(
    Context& context, const LoadedProject& project, const store::WorkspaceRecord* record,
    const PlanChoice& choice, bool color, std::chrono::milliseconds started);

} // namespace pyro::workspace
