// What a Python project requires, and which of it Debian 12 has as a package of its own.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace pyro::workspace {

/// Of a line of requirements.txt: "Flask_Login[x]>=0.6" is "flask-login". Empty where it names no package.
std::string requirement_name(std::string_view requirement);

/// The package of Debian 12 that fulfils the requirement, version and all; nullopt: none does, or the
/// requirement says more than names and versions (extras, markers, addresses).
std::optional<std::string> debian_package_of(std::string_view requirement);

} // namespace pyro::workspace
