// A plan of a declared file as it would be made now: nothing is locked, fetched or built.
#pragma once

#include <pyro/workspace/apply/planning.hpp>
#include <pyro/workspace/context/project.hpp>

#include <optional>

namespace pyro::workspace {

struct Looked {
  LoadedProject project;
  std::optional<store::WorkspaceRecord> record; // of a workspace that is there
  Planned planned;
};

/// Throws as load_project() does.
Looked look_at_plan(Context& context, const Project& project, const PlanChoice& choice, bool color);

} // namespace pyro::workspace
