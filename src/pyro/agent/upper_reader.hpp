// The work of /upper/list and /upper/read, in a process of its own that may block. What lies in the directory
// is whatever the sandbox put there: nothing but regular files and directories is ever opened.
#pragma once

#include <pyro/base/json_access.hpp>

namespace pyro::agent {

/// Writes a record for every entry below the directory to `output`, returns the result of the call. Error
/// (stale) where directories were moved meanwhile so that the list would be wrong: ask again.
Json list_upper(int directory, int output);

/// Reads paths from `input` to its end, writes the content of each to `output`.
Json read_upper(int directory, int input, int output);

} // namespace pyro::agent
