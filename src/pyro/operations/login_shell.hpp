// For fronts: see workspace/login_shell.hpp.
#pragma once

#include <pyro/workspace/login_shell.hpp>

namespace pyro::operations {

using workspace::login_shell;

} // namespace pyro::operations
