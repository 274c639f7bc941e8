// What of this machine a sandbox on `image: host` finds: neither homes nor what only the caller's PATH names.
#pragma once

#include <string>

namespace pyro::workspace {

bool is_shown_by_host(const std::string& program);

/// A module of Debian's packages.
bool host_python_has(const std::string& module);

/// What `python3 -m venv` gets pip from.
bool host_python_has_ensurepip();

} // namespace pyro::workspace
