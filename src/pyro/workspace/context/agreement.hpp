// Asking before something is lost. Whoever calls this holds no lock: a question may stand on a terminal for
// hours.
#pragma once

#include "requests.hpp"

#include <string>

namespace pyro::workspace {

/// Throws Error(approval_needed) with the text where something is lost and nobody agrees to it.
void require_agreement(const std::string& loss, const ApplyOptions& options);

} // namespace pyro::workspace
