// Debian's kernel for virtual machines, fetched as a package and unpacked, never installed. Needs apt's
// programs but neither root nor subordinate ids.
#pragma once

#include "environment_tool.hpp"

#include <pyro/base/json_access.hpp>

#include <string>

namespace pyro::workspace {

/// Fetches the newest kernel of Debian 12 for this machine's architecture and unpacks it to `tree`, with
/// temporary files in `scratch` (both are created). Signatures are checked as apt does. Returns
/// [{name, version, architecture, sha256}].
Json fetch_kernel_package(const std::string& tree, const std::string& scratch, const LineSink& line);

} // namespace pyro::workspace
