#include "unfinished.hpp"

#include <pyro/os/process.hpp>
#include <pyro/store/export_area.hpp>

#include <unistd.h>

namespace pyro::workspace {

void note_maker(store::WorkspaceRecord& record) {
  record.maker = os::process_id_of(::getpid());
}

void forget_maker(store::WorkspaceRecord& record) {
  record.maker.reset();
}

bool is_being_made(const store::WorkspaceRecord& record) {
  return record.maker.has_value();
}

bool is_abandoned(const store::WorkspaceRecord& record) {
  return record.maker && !os::is_alive(*record.maker);
}

void remove_unfinished_workspaces(const Context& context) {
  remove_unfinished_workspaces(context, context.records.list());
}

void remove_unfinished_workspaces(
    const Context& context, const std::vector<store::WorkspaceRecord>& records) {
  store::remove_abandoned_exports(context.base.exports());
  for (const auto& record : records) {
    if (is_abandoned(record)) {
      std::ignore = remove_if_free(context, record.id);
    }
  }
}

} // namespace pyro::workspace
