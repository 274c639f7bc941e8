// Fills /run when a sandbox starts, as a machine's start would: with what the environment's tmpfiles.d says
// (tmpfiles.hpp, docs/decisions/0057). Before anything of the inside runs.
#pragma once

namespace pyro::agent {

/// What cannot be made (a user that does not exist) is left out with a line on standard error. Never throws.
void make_run_files() noexcept;

} // namespace pyro::agent
