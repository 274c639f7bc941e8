#include "build_directory.hpp"

#include "sandboxes.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/random.hpp>

namespace pyro::workspace {

BuildDirectory::BuildDirectory(const std::string& workspace_directory)
    : m_path(workspace_directory + "/build/" + os::random_hex(6)) {
  os::make_directories(runtime());
  os::make_directories(generation());
}

BuildDirectory::~BuildDirectory() {
  try {
    kill_sandbox(runtime());
    remove_trees({m_path}, Detached::no);
  } catch (const Error&) {
    // The next command on this workspace finds it and tries again (recover).
  }
}

} // namespace pyro::workspace
