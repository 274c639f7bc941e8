// Commands that carry out a pyro.yaml, which is about one workspace: the file's own.
#pragma once

#include "session.hpp"

namespace pyro::cli {

/// session.project(), where --workspace names no other workspace than that of the file. Throws Error(usage).
Json own_project(Session& session);

} // namespace pyro::cli
