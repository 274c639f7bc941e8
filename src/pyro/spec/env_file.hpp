// Files of variables (`env_file` of a service), read as Compose's documentation of them says; what that
// leaves open, or would take from the caller's environment, is refused by file and line.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace pyro::spec {

using Variables = std::map<std::string, std::string>;

/// Adds what the file sets. A reference ($NAME, ${NAME}) is to a variable that is in `variables` by then: of
/// an earlier file, or an earlier line. Error(invalid_file) with the place.
void read_env_file(std::string_view text, const std::string& path, Variables& variables);

} // namespace pyro::spec
