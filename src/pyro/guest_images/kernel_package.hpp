// Debian's kernel for virtual machines, fetched as a package and unpacked, never installed. Needs apt's
// programs but neither root nor subordinate ids.
#pragma once

#include <pyro/base/json_access.hpp>
#include <pyro/environment/tool.hpp>

#include <string>

namespace pyro::guest_images {

/// Fetches the newest kernel of Debian 12 for this machine's architecture and unpacks it to `tree`, with
/// temporary files in `scratch` (both are created). Signatures are checked as apt does. Returns
/// [{name, version, architecture, sha256}].
Json fetch_kernel_package(
    const std::string& tree, const std::string& scratch, const environment::LineSink& line);

} // namespace pyro::guest_images
