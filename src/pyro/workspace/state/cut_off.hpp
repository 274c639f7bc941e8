// What became of a sandbox that ended while somebody was still using it, in words of the workspace.
#pragma once

#include <pyro/store/layout.hpp>
#include <pyro/store/workspace_record.hpp>
#include <pyro/workspace/context/context.hpp>

#include <string>

namespace pyro::workspace {

/// "the workspace was reset", told from who works on it now and from its record; `before` is the record of
/// when it was used. Empty: nothing is known.
std::string
what_became_of(Context& context, const store::WorkspacePaths& paths, const store::WorkspaceRecord& before);

} // namespace pyro::workspace
