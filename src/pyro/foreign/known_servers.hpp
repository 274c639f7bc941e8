// Images of servers that others run as containers of their own: here the program is installed, and is a
// service.
#pragma once

#include "draft.hpp"

namespace pyro::foreign {

/// Makes a service of an image such as "postgres:16" or "docker.io/library/redis:7-alpine", with its set-up
/// step. False: it is no such image. `env` is what the container was given.
bool add_known_server(
    Draft& draft, const std::string& name, const std::string& image,
    const std::map<std::string, std::string>& env);

/// "redis" of "docker.io/library/redis:7-alpine".
std::string base_name(const std::string& image);

} // namespace pyro::foreign
