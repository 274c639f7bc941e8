// Who we are and what we can do, as each era is told it.
#pragma once

#include <pyro/base/json_access.hpp>

namespace pyro::mcp {

/// Of `initialize`; RpcError(k_invalid_params) where its parameters name no revision.
Json initialize_result(const Json& params);
/// Of `server/discover`.
Json discover_result();

} // namespace pyro::mcp
