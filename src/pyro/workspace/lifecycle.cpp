#include "lifecycle.hpp"

#include <pyro/backend/control_client.hpp>
#include <pyro/os/clock.hpp>

namespace pyro::workspace {

namespace {

constexpr double k_undo_of_destroy_seconds = 86'400;

std::int64_t milliseconds_or_zero(const std::optional<std::chrono::milliseconds>& duration) {
  return duration ? duration->count() : 0;
}

} // namespace

LifecyclePolicy policy_of(const spec::Lifecycle& lifecycle) {
  return {
      milliseconds_or_zero(lifecycle.ttl), milliseconds_or_zero(lifecycle.idle),
      lifecycle.on_idle == spec::LifecycleAction::destroy,
      lifecycle.on_expire == spec::LifecycleAction::destroy};
}

LifecyclePolicy lifecycle_of(const store::WorkspaceRecord& record) {
  const auto& noted = record.metadata;
  return {
      int_or(noted, "ttl_ms", 0), int_or(noted, "idle_ms", 0), bool_or(noted, "destroy_when_idle", false),
      bool_or(noted, "destroy_when_expired", false)};
}

bool note_lifecycle(store::WorkspaceRecord& record, const LifecyclePolicy& policy, bool restart) {
  const auto before = lifecycle_of(record);
  const bool other_ttl = policy.ttl_ms != before.ttl_ms;
  if (other_ttl || restart) {
    record.expires_at = policy.ttl_ms > 0
                            ? std::optional(os::now_epoch() + static_cast<double>(policy.ttl_ms) / 1000)
                            : std::nullopt;
  }
  record.metadata["ttl_ms"] = policy.ttl_ms;
  record.metadata["idle_ms"] = policy.idle_ms;
  record.metadata["destroy_when_idle"] = policy.destroy_when_idle;
  record.metadata["destroy_when_expired"] = policy.destroy_when_expired;
  return other_ttl || policy.idle_ms != before.idle_ms;
}

void tell_supervisor(const LockedWorkspace& workspace) {
  if (auto client = backend::ControlClient::connect(workspace.paths.control_socket())) {
    const auto& record = workspace.record;
    client->call(
        "/lifetime",
        {{"expires_at", record.expires_at.value_or(0)}, {"idle_ms", lifecycle_of(record).idle_ms}});
  }
}

bool ends_in_destruction(const store::WorkspaceRecord& record, const std::string& reason) {
  const auto policy = lifecycle_of(record);
  return (reason == "expired" && policy.destroy_when_expired)
         || (reason == "idle" && policy.destroy_when_idle);
}

int note_destroyed(store::WorkspaceRecord& record, const std::string& reason) {
  const int displaced = record.undo ? record.undo->generation : 0;
  const auto now = os::now_epoch();
  record.undo = store::UndoEntry{record.generation,
                                 record.layers,
                                 record.host_directories,
                                 now,
                                 reason,
                                 now + k_undo_of_destroy_seconds};
  record.metadata["destroyed_at"] = now;
  return displaced;
}

} // namespace pyro::workspace
