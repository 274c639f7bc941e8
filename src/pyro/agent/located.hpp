// Where /workspace is. In a sandbox it is just that; where the agent is an ordinary process of a machine
// (backend "host") it stands for a directory.
#pragma once

#include <string>

namespace pyro::agent {

/// Once, before anything else. Empty: /workspace is /workspace.
void set_workspace_directory(std::string directory);

/// Is it another directory?
bool is_workspace_elsewhere();

/// The path with that directory in place of a leading /workspace.
std::string located(const std::string& path);

} // namespace pyro::agent
