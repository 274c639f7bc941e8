// The project that stands for what workspace_create was asked for: a workspace made by hand and one made by
// apply are the same thing, so both are planned and carried out by the same code.
#pragma once

#include <pyro/workspace/context/context.hpp>
#include <pyro/workspace/context/project.hpp>

namespace pyro::workspace {

/// Throws Error(invalid_argument) for what no spec may say (the name, the environment, …).
LoadedProject project_for(const Context& context, const CreateRequest& request);

/// The name and labels of `spec`, a normal form, changed. Throws Error(invalid_argument) for what no spec may
/// say.
Json with_names(Json spec, const std::string& name, const std::map<std::string, std::string>& labels);

} // namespace pyro::workspace
