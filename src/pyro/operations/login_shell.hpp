// For fronts: see workspace/context/login_shell.hpp.
#pragma once

#include <pyro/workspace/context/login_shell.hpp>

namespace pyro::operations {

using workspace::login_shell;

} // namespace pyro::operations
