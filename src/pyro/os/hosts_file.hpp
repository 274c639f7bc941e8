// /etc/hosts of a sandbox: what its environment has there, and what that lacks of localhost and of the
// sandbox's own name.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace pyro::os {

/// The host name of sandboxes that run build steps: every environment names it, so that nothing has to cover
/// what a step may write to for its layer.
inline constexpr const char* k_step_hostname = "localhost";

/// "etc/hosts" beneath a root that nobody has to trust. nullopt where that is no regular file of a sane size.
std::optional<std::string> maybe_read_hosts(int root);

/// `own` with the lines that it lacks. Our line for an earlier name goes.
std::string hosts_with_name(std::string_view own, const std::string& hostname);

/// Has hosts_with_name() added a name to it?
bool is_hosts_with_name(std::string_view text);

/// `text` with a line for each of these services, all of them at 127.0.0.1, but for names that it has
/// already. Our lines for other services go.
std::string hosts_with_services(std::string_view text, const std::set<std::string>& services);

} // namespace pyro::os
