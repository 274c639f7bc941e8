// The pyro.yaml that `pyro init` writes, by what checkout_look.hpp found.
#pragma once

#include <pyro/workspace/checkout_look.hpp>
#include <pyro/workspace/context/requests.hpp>

#include <string>

namespace pyro::workspace {

/// The commented file; `name` is the workspace's.
std::string first_file(const CheckoutLook& look, const std::string& name);

/// Writes it where there is none yet: {"file", "kind", "name", "test"}. Throws Error(already_exists).
Json write_first_file(const Project& project, const std::string& kind);

} // namespace pyro::workspace
