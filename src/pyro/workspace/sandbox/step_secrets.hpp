// What a step is given of secrets, when it runs and when somebody looks at where it failed.
#pragma once

#include <pyro/backend/control_client.hpp>
#include <pyro/base/redactor.hpp>
#include <pyro/workspace/context/project.hpp>
#include <pyro/workspace/context/project_secrets.hpp>

#include <map>
#include <string>
#include <vector>

namespace pyro::workspace {

/// Files for `user`, placeholders, and the gateway's part; `env` gets their variables where it has none of
/// that name. Names that the project does not have are passed over. Returns what takes values out of what the
/// step says.
Redactor give_step_secrets(
    backend::ControlClient& client, const LoadedProject& project, ProjectSecrets& secrets,
    const std::vector<std::string>& names, const std::string& user, std::map<std::string, std::string>& env);

} // namespace pyro::workspace
