// Why a plan does what it does, or does nothing, at one address; and why a layer in the store was not used.
#pragma once

#include <pyro/workspace/context/requests.hpp>

#include <string>

namespace pyro::workspace {

struct Context;

/// {"address", "action", "reason", "chain": [{"address", "action", "reason"}], "key", "cached", "inputs",
/// "differing", "nearest_build", "text"}: the chain leads from the action to what began it. An address of the
/// file that has no action of its own is explained by what it is a part of; one that is none: Error(usage)
/// with the nearest.
Json explain_action(Context& context, const Project& project, const std::string& address);

} // namespace pyro::workspace
