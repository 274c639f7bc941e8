// The work of /files/change, in a process of its own that may block: reads records, prepares the tree beside
// the live one, puts it in place at the commit.
#pragma once

#include <pyro/protocol/file_change.hpp>

namespace pyro::agent {

/// Reads records from `input` until the commit. Throws with nothing changed, and nothing of it left, whatever
/// is wrong; also when the input ends before the commit (interrupted).
protocol::FileChangeResult receive_file_change(const protocol::FileChangeRequest& request, int input);

} // namespace pyro::agent
