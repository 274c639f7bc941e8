// From what a user says (a name, an id, a project directory) to a workspace.
#pragma once

#include "find_and_lock.hpp"

#include <pyro/workspace/context/project.hpp>

#include <optional>
#include <string>

namespace pyro::workspace {

/// What is about to be done with it: does it take anything of this machine that its file asks for (secrets,
/// env files)?
enum class HostUse { none, taken };

struct Located {
  std::string id;
  std::optional<store::WorkspaceRecord> record; // as it was read to find it
  std::optional<spec::Spec> declared;   // where a pyro.yaml is at hand; perhaps without host variables
  std::optional<LoadedProject> project; // the same with its values: only with HostUse::taken
};

/// For a fork, whose original has the host ports that the file names.
void choose_ports_anew(spec::Spec& spec);

/// Throws Error(not_found) saying what was looked for and what to do. With `wanted` empty the project file
/// must exist. With HostUse::taken a file that nobody agreed to is refused, or asked about; without, it is as
/// good as one that cannot be read.
Located locate(
    const Context& context, const std::string& wanted, const Project& project, HostUse use = HostUse::none);

/// Does its pyro.yaml say something else than what was applied? nullopt: nobody can say.
std::optional<bool> spec_changed(const Located& located, const store::WorkspaceRecord& record);

} // namespace pyro::workspace
