// Ways of working with workspaces, as prompts that a client offers to its user.
#pragma once

#include <pyro/base/json_access.hpp>

#include <string>

namespace pyro::mcp {

/// As prompts/list answers.
Json prompt_list();

/// {"description", "messages"}. Throws RpcError(k_invalid_params) for an unknown name or an argument that is
/// missing.
Json prompt_of(const std::string& name, const Json& arguments);

} // namespace pyro::mcp
