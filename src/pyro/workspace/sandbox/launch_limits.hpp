// What the sandbox of a workspace is held to, by its record.
#pragma once

#include <pyro/backend/launch_spec.hpp>
#include <pyro/store/workspace_record.hpp>

namespace pyro::workspace {

backend::Limits launch_limits(const store::WorkspaceRecord& record);

} // namespace pyro::workspace
