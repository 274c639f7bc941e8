// What this version or this machine cannot do: refused when planning, at its place in the file, before
// anything is fetched, built or stopped. Error(unavailable) each. For what a backend itself needs see
// require_usable() in sandbox/sandboxes.hpp.
#pragma once

#include <pyro/plan/plan.hpp>
#include <pyro/workspace/context/context.hpp>
#include <pyro/workspace/context/project.hpp>

namespace pyro::workspace {

/// What the file asks for.
void refuse_unsupported(
    const Context& context, const LoadedProject& project, const backend::Backend& backend,
    const PlanChoice& choice);

/// What the layers need that are to be built: programs that fetch or make images, a way to the network.
void refuse_unbuildable(
    Context& context, const LoadedProject& project, const plan::Plan& plan, const backend::Backend& backend);

} // namespace pyro::workspace
