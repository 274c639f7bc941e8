#include "cut_off.hpp"

#include "find_and_lock.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/file_lock.hpp>

#include <map>
#include <string_view>

namespace pyro::workspace {

namespace {

/// By what somebody who has the lock is doing: the record says it only once that is done.
std::string being_done(const store::WorkspacePaths& paths) {
  static const std::map<std::string, std::string_view, std::less<>> k_operations{
      {"reset", "the workspace was reset"},
      {"undo", "the workspace was taken back by undo"},
      {"stop", "the workspace was stopped"},
      {"destroy", "the workspace was destroyed"},
      {"apply", "the workspace was made anew by apply"},
  };
  const auto holder = os::lock_holder(paths.lock());
  const auto found = holder ? k_operations.find(holder->operation) : k_operations.end();
  return found == k_operations.end() ? "" : std::string(found->second);
}

std::string seen_in_record(Context& context, const store::WorkspaceRecord& before) {
  const auto now = load_and_recover_if_there(context, before.id);
  if (!now) {
    return "the workspace was removed";
  }
  if (is_destroyed(*now)) {
    return "the workspace was destroyed";
  }
  if (now->reset_count != before.reset_count) {
    return "the workspace was reset";
  }
  if (now->generation != before.generation) {
    return "the workspace was made anew";
  }
  if (now->state != store::WorkspaceState::started) {
    return now->last_error.empty() ? "the workspace was stopped" : now->last_error;
  }
  return now->supervisor != before.supervisor ? "the workspace was started anew" : "";
}

} // namespace

std::string
what_became_of(Context& context, const store::WorkspacePaths& paths, const store::WorkspaceRecord& before) {
  try {
    auto text = being_done(paths);
    return text.empty() ? seen_in_record(context, before) : text;
  } catch (const Error&) {
    return {}; // removed while we looked, or not ours to read: what is to be told is another failure
  }
}

} // namespace pyro::workspace
