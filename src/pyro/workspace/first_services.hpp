// The services of a first pyro.yaml: databases that the project talks to, and what it serves itself.
#pragma once

#include <pyro/workspace/checkout_look.hpp>

#include <string>
#include <vector>

namespace pyro::workspace {

/// The command that has them in a Debian. It keeps nothing between builds: a step with a cache of its own is
/// not shared by the checkouts of a machine.
std::string install_packages(const std::vector<std::string>& packages);

/// The set-up step that has PostgreSQL, at four spaces.
std::string postgresql_step();

/// Where a database is found, as lines of `environment.env`.
std::string database_variables(const Database& database);

/// `services:` and what is in it, or that as comments where nothing is known.
std::string services_text(const CheckoutLook& look);

} // namespace pyro::workspace
