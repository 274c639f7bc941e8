// The environments `debian:12`, `debian:12-base` and `debian:12-build`: made by mmdebstrap(1) from Debian's
// packages.
#pragma once

#include <pyro/base/json_access.hpp>
#include <pyro/base/sha256.hpp>

#include <functional>
#include <string>
#include <vector>

namespace pyro::environment {

/// What is installed beside Debian's minimal system.
std::vector<std::string> debian_packages(const std::string& variant);

/// Lines for sources.list from this machine's own apt sources, where it is Debian 12 itself, so that its
/// mirrors are used; empty: mmdebstrap's defaults.
std::string debian_sources(const std::string& host_root = "");

/// Error(unavailable) where this machine or user cannot build one.
void require_debian_tools();

/// Builds into `tree`, with temporary files in `scratch` (both below one staging directory). `line` gets the
/// lines of mmdebstrap's output. Error(unavailable) as require_debian_tools(). Returns the details for
/// inspect.
Json build_debian(
    const std::string& variant, const std::string& tree, const std::string& scratch,
    const std::function<void(const std::string&)>& line);

/// [{name, version, architecture}] of a dpkg status file.
Json installed_packages(const std::string& status_text);

/// Of such a list, in whatever order.
HexDigest digest_of_packages(const Json& packages);

} // namespace pyro::environment
