// Services are found by their names: /etc/hosts inside has a line for each, as programs that were written for
// Compose expect it.
#pragma once

#include <set>
#include <string>

namespace pyro::agent {

/// These and no others. Only in the copy of /etc/hosts that covers the environment's own: where nothing
/// covers it (build steps, an environment without the file, the backend "host") nothing is done.
void write_service_names(const std::set<std::string>& names);

} // namespace pyro::agent
