// What a pyro.yaml wants of this machine, as text. Every value is somebody else's: escaped here.
#pragma once

#include "style.hpp"

#include <pyro/base/json_access.hpp>

#include <string>

namespace pyro::cli {

/// "  command  secrets.token  pass show npm  pyro.yaml:4:3" lines; empty for an empty list.
std::string render_host_requests(const Json& requests);
/// The document of trust_show for who is to agree: the list, and what changed since it was agreed to.
std::string render_wanted(const Json& wanted, Style style);
/// "1 command, 12 path": behind a list that is longer than the screen it tells what scrolled away.
std::string count_requests(const Json& requests);
std::string render_trust_list(const Json& result);

} // namespace pyro::cli
