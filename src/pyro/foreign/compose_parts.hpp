// Fields of a Compose service that are worth a function: variables, ports, volumes, checks. For
// compose_service.cpp.
#pragma once

#include "compose_service.hpp"

namespace pyro::foreign {

std::map<std::string, std::string>
compose_env(Draft& draft, const spec::Node& service, const std::string& address);

/// As here; ports that another service has inside already are left out.
std::vector<std::string> compose_ports(
    ComposeImport& import, const spec::Node& service, const std::string& address, const std::string& name);

/// With `is_seed` a mount of the checkout says where the seed goes.
void read_volumes(Draft& draft, const spec::Node& service, const std::string& address, bool is_seed);

/// env_file, ports, healthcheck, restart, stop, secrets.
void add_compose_parts(
    ComposeImport& import, const spec::Node& service, const std::string& address, DraftService& made);

} // namespace pyro::foreign
