// What a full reset forgets of a workspace beside its content. Who keeps more of that kind puts it below one
// of these directories.
#pragma once

#include <pyro/store/layout.hpp>
#include <pyro/store/records.hpp>

#include <string_view>

namespace pyro::workspace {

/// Does an operation of the journal ("reset", "replace", "undo", …) begin a new history?
bool forgets_history(std::string_view operation);

/// Empties commands/, shells/ and services/ of the workspace. Its sandbox is gone or new, so nobody writes
/// there any more, but somebody may have begun to use the new one: what belongs to the reset_count of
/// `record` (of a reset that is recorded) stays. May be repeated after a crash; nothing is synced: what a
/// power cut brings back belongs to an older reset_count.
void clear_history(
    const store::WorkspacePaths& paths, const store::WorkspaceRecord& record, std::string_view operation);

} // namespace pyro::workspace
