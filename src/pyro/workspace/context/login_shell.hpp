// The shell that a person gets.
#pragma once

#include <string>
#include <vector>

namespace pyro::workspace {

/// bash where the sandbox has it, else sh, as a login shell.
inline std::vector<std::string> login_shell() {
  return {"/bin/sh", "-c", "if command -v bash >/dev/null 2>&1; then exec bash -l; else exec sh -l; fi"};
}

} // namespace pyro::workspace
