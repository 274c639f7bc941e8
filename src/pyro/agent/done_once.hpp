// Which oneshots have completed in this content. Noted in files of the content itself, so that snapshots,
// resets, forks and undo take the notes along with what the oneshot made: `oneshot: {per: content}`.
#pragma once

#include <string>

namespace pyro::agent {

/// `digest`: of the definition that ran.
void note_done(const std::string& service, const std::string& digest);
bool is_done(const std::string& service, const std::string& digest);
/// It is to run again.
void forget_done(const std::string& service);

} // namespace pyro::agent
