// How the sandbox of a workspace is to run, by its record.
#pragma once

#include <pyro/backend/backend.hpp>
#include <pyro/store/workspace_record.hpp>

namespace pyro::workspace {

struct RunOptions {
  backend::Limits limits;
  bool egress = false;
};

RunOptions run_options_of(const store::WorkspaceRecord& record);

} // namespace pyro::workspace
