// From what a user says (a name, an id, a project directory) to a workspace.
#pragma once

#include "project.hpp"
#include "workspace_handle.hpp"

#include <optional>
#include <string>

namespace pyro::workspace {

struct Located {
  std::string id;
  std::optional<LoadedProject> project; // where a pyro.yaml is at hand
};

/// For a fork, whose original has the host ports that the file names.
void choose_ports_anew(spec::Spec& spec);

/// Throws Error(not_found) saying what was looked for and what to do. With `wanted` empty the project file
/// must exist.
Located locate(const Context& context, const std::string& wanted, const Project& project);

} // namespace pyro::workspace
