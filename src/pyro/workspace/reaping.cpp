#include "reaping.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/store/disk_reserve.hpp>
#include <pyro/workspace/context/context.hpp>
#include <pyro/workspace/state/find_and_lock.hpp>
#include <pyro/workspace/state/unfinished.hpp>

namespace pyro::workspace {

namespace {

/// Declared ones stay: their file says what becomes of them (lifecycle.on_expire).
bool is_reapable(const store::WorkspaceRecord& record) {
  return record.project_file.empty() && record.expires_at && *record.expires_at <= os::now_epoch()
         && !is_vm(record);
}

/// Has it a record, and one that cannot be read? A directory without one may be just being made: whoever
/// makes one holds the store's lock.
bool is_damaged(const Context& context, const std::string& id) {
  try {
    if (context.records.find(id)) {
      return false;
    }
  } catch (const Error& error) {
    return error.code() == ErrorCode::protocol;
  }
  return os::ExclusiveLock::try_lock(context.base.store_lock(), "reap").has_value()
         && !context.records.find(id);
}

} // namespace

Json reap_workspaces(Context& context) {
  const store::LentReserve reserve(context.base);
  remove_unfinished_workspaces(context);
  std::vector<std::string> doomed;
  for (const auto& id : context.records.ids()) {
    if (is_damaged(context, id)) {
      doomed.push_back(id);
    }
  }
  for (const auto& record : context.records.list()) {
    if (is_reapable(record)) {
      doomed.push_back(record.id);
    }
  }
  Json removed = Json::array();
  Json skipped = Json::array();
  for (const auto& id : doomed) {
    context.check_interrupted();
    (remove_if_free(context, id) ? removed : skipped).push_back(id);
  }
  return {{"count", removed.size()}, {"workspaces", removed}, {"skipped", skipped}};
}

} // namespace pyro::workspace
