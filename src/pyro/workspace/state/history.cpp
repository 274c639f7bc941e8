#include "history.hpp"

#include "command_log.hpp"
#include "service_records.hpp"

#include <pyro/os/directory.hpp>

namespace pyro::workspace {

namespace {

/// The lock stays: two who waited for one that was removed would not exclude each other.
void remove_all_below(const std::string& directory) {
  for (const auto& name : os::list_directory(directory)) {
    if (name != "lock") {
      os::remove_tree(directory + "/" + name);
    }
  }
}

} // namespace

bool forgets_history(std::string_view operation) {
  return operation == "reset" || operation == "replace";
}

void clear_history(
    const store::WorkspacePaths& paths, const store::WorkspaceRecord& record, std::string_view operation) {
  if (operation == "reset") {
    CommandLog(paths, record).forget_older();
    ServiceRecords(paths, record).forget_older();
    remove_all_below(paths.shells());
    return;
  }
  for (const auto& directory : {paths.commands(), paths.shells(), paths.services()}) {
    remove_all_below(directory);
  }
}

} // namespace pyro::workspace
