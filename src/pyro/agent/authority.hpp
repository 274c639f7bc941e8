// An authority that programs inside trust for the life of the sandbox (protocol/requests.hpp): files in
// memory, beside the system's own bundle, which is content and stays as it is.
#pragma once

#include <string>

namespace pyro::agent {

/// Writes both files anew.
void trust_authority(const std::string& certificate);

} // namespace pyro::agent
