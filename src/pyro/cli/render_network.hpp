// What a workspace has reached, of `network` in the document of status.
#pragma once

#include "style.hpp"

#include <pyro/base/json_access.hpp>

#include <string>

namespace pyro::cli {

/// The hosts that were asked for last, a line each; more are in the network log.
std::string render_hosts(const Json& hosts, Style style);

} // namespace pyro::cli
