// A part of what a file asks for: what is left out stays as it was applied (docs/decisions/0067).
#pragma once

#include "resolve_inputs.hpp"

#include <pyro/plan/plan.hpp>

#include <set>
#include <string>
#include <vector>

namespace pyro::workspace {

/// Error(usage) with the nearest, where one of the addresses is neither in the plan nor in the file.
void require_addresses(const PlanChoice& choice, const plan::Plan& all, const LoadedProject& project);

/// Units (applied_source.hpp) that are to stay as they are. Error(usage) where what is wanted needs what is
/// left out.
std::set<std::string>
left_out_units(const PlanChoice& choice, const spec::Spec& wanted, const spec::Spec& applied, bool exists);

/// Puts what was applied in place of these units, in the file and in the chain.
void leave_out(
    const std::set<std::string>& units, const spec::Spec& applied,
    const std::vector<plan::Link>& applied_links, LoadedProject& project, ResolvedInputs& resolved);

/// What `all` would do beside what `part` does.
std::vector<plan::LeftOut> difference_of(const plan::Plan& all, const plan::Plan& part);

} // namespace pyro::workspace
