#include "reset.hpp"

#include <pyro/base/error.hpp>

namespace pyro::workspace {

void note_reset(store::WorkspaceRecord& record) {
  ++record.reset_count;
  record.last_reset_at = os::now_epoch();
  record.command_count = 0;
  record.base.layers.reset();
  record.base.seed.reset();
}

void renew_expiry(store::WorkspaceRecord& record) {
  if (const auto ttl = record.lifecycle.ttl_ms; ttl > 0) {
    record.expires_at = os::now_epoch() + static_cast<double>(ttl) / 1000;
  }
}

bool reset_to(
    Context& context, LockedWorkspace& workspace, const store::SnapshotRecord& snapshot, KeepUndo keep_undo) {
  renew_expiry(workspace.record);
  return switch_generation(
      context, workspace, "reset", {snapshot.layers, snapshot.host_directories}, 0, keep_undo,
      "reset to " + snapshot.name,
      [&](store::WorkspaceRecord& record) {
        note_reset(record);
        record.base.snapshot = snapshot.name;
        if (!snapshot.key.empty()) {
          record.base.key = snapshot.key;
        }
      },
      kept_memory(workspace.paths, snapshot));
}

void require_baseline(const Context& context, const std::string& id) {
  std::ignore = context.records.snapshot(id, "baseline");
}

} // namespace pyro::workspace
