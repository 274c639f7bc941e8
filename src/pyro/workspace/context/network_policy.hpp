// network_policy of sandboxes made by hand: "off", "egress", or empty for what the backend does by default.
#pragma once

#include <pyro/backend/backend.hpp>

#include <string>
#include <vector>

namespace pyro::workspace {

/// Throws Error(invalid_argument) for another word.
void check_network_policy(const std::string& policy);

/// Throws Error(unavailable) for a policy that this backend cannot hold.
void refuse_policy(const backend::Backend& backend, const std::string& policy);

/// Into what a sandbox is started with: "none", "all" or "a.example, *.b.example:80", as spec::to_string()
/// writes it and records have it.
void set_egress(backend::LaunchSpec& spec, const std::string& egress);

/// The rules of such a text; none for "none" and "all".
std::vector<std::string> egress_rules(const std::string& egress);

} // namespace pyro::workspace
