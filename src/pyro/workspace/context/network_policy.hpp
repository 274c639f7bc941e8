// network_policy of sandboxes made by hand: "off", "egress", or empty for what the backend does by default.
#pragma once

#include <pyro/backend/backend.hpp>
#include <pyro/spec/spec.hpp>

#include <string>

namespace pyro::workspace {

/// Throws Error(invalid_argument) for another word.
void check_network_policy(const std::string& policy);

/// Throws Error(unavailable) for a policy that this backend cannot hold.
void refuse_policy(const backend::Backend& backend, const std::string& policy);

/// Into what a sandbox is started with.
void set_egress(backend::LaunchSpec& spec, const spec::Egress& egress);

} // namespace pyro::workspace
