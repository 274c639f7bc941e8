#include "history.hpp"

#include <pyro/os/directory.hpp>

namespace pyro::workspace {

bool forgets_history(std::string_view operation) {
  return operation == "reset" || operation == "replace";
}

void clear_history(const store::WorkspacePaths& paths) {
  for (const auto& directory : {paths.commands(), paths.shells(), paths.services()}) {
    for (const auto& name : os::list_directory(directory)) {
      os::remove_tree(directory + "/" + name);
    }
  }
}

} // namespace pyro::workspace
