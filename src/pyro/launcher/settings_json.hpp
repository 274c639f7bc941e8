// The settings of a call as they travel to the launcher.
#pragma once

#include <pyro/operations/caller.hpp>

namespace pyro::launcher {

Json settings_to_json(const operations::CallSettings& settings);
operations::CallSettings settings_from_json(const Json& value);

} // namespace pyro::launcher
