// What a process has no need of any more.
#pragma once

namespace pyro::backend {

/// The calling process loses every capability, and no program that it executes gains any (capabilities(7),
/// PR_SET_NO_NEW_PRIVS). To be called with the capabilities of its user namespace.
void give_up_privileges();

} // namespace pyro::backend
