#include "lifecycle.hpp"

#include <pyro/backend/control_client.hpp>
#include <pyro/base/units.hpp>
#include <pyro/events/supervisor_event.hpp>
#include <pyro/os/clock.hpp>

namespace pyro::workspace {

namespace {

std::int64_t milliseconds_or_zero(const std::optional<std::chrono::milliseconds>& duration) {
  return duration ? duration->count() : 0;
}

std::string death_note(const store::WorkspaceRecord& record, const std::string& reason) {
  if (reason == "expired") {
    return "the time to live is over";
  }
  if (reason == "idle") {
    return fmt::format(
        "nobody used it for {}", format_duration(std::chrono::milliseconds(record.lifecycle.idle_ms)));
  }
  return fmt::format(
      "the backing guest process {} is gone{}", record.sandbox_pid.value_or(0),
      reason.empty() ? "" : ": " + reason);
}

} // namespace

store::Lifecycle lifecycle_of(const spec::Spec& spec) {
  const auto& lifecycle = spec.lifecycle;
  return {
      milliseconds_or_zero(lifecycle.ttl), milliseconds_or_zero(lifecycle.idle), spec.reset.undo.count(),
      lifecycle.on_idle == spec::LifecycleAction::destroy,
      lifecycle.on_expire == spec::LifecycleAction::destroy};
}

bool note_lifecycle(store::WorkspaceRecord& record, const store::Lifecycle& lifecycle, bool restart) {
  const auto before = std::exchange(record.lifecycle, lifecycle);
  const bool other_ttl = lifecycle.ttl_ms != before.ttl_ms;
  if (other_ttl || restart) {
    record.expires_at = lifecycle.ttl_ms > 0
                            ? std::optional(os::now_epoch() + static_cast<double>(lifecycle.ttl_ms) / 1000)
                            : std::nullopt;
  }
  return other_ttl || lifecycle.idle_ms != before.idle_ms;
}

void tell_supervisor(const LockedWorkspace& workspace) {
  if (auto client = backend::ControlClient::connect(workspace.paths.control_socket())) {
    const auto& record = workspace.record;
    client->call(
        "/lifetime", {{"expires_at", record.expires_at.value_or(0)}, {"idle_ms", record.lifecycle.idle_ms}});
  }
}

bool ends_in_destruction(const store::WorkspaceRecord& record, const std::string& reason) {
  return (reason == "expired" && record.lifecycle.destroy_when_expired)
         || (reason == "idle" && record.lifecycle.destroy_when_idle);
}

store::UndoEntry
undo_entry(const store::WorkspaceRecord& record, const std::string& reason, std::int64_t kept_ms) {
  const auto now = os::now_epoch();
  return {
      record.generation,
      record.layers,
      record.host_directories,
      record.base,
      now,
      reason,
      now + static_cast<double>(kept_ms) / 1000};
}

std::vector<int> note_destroyed(store::WorkspaceRecord& record, const std::string& reason) {
  std::vector<int> unused;
  if (record.undo) {
    unused.push_back(record.undo->generation);
    record.undo.reset();
  }
  if (record.lifecycle.undo_ms > 0) {
    record.undo = undo_entry(record, reason, record.lifecycle.undo_ms);
  } else {
    unused.push_back(record.generation);
  }
  record.destroyed_at = os::now_epoch();
  return unused;
}

std::optional<std::string> note_death(const store::WorkspacePaths& paths, store::WorkspaceRecord& record) {
  if (record.state != store::WorkspaceState::started || is_running(record)) {
    return std::nullopt;
  }
  auto reason = end_reason(paths.runtime());
  record.state = store::WorkspaceState::stopped;
  record.last_error = death_note(record, reason);
  record.supervisor.reset();
  record.sandbox_pid.reset();
  if (ends_in_destruction(record, reason)) {
    note_destroyed(record, reason == "idle" ? "idle time" : "end of its time to live");
  }
  return reason;
}

void tell_death(const Context& context, const store::WorkspaceRecord& record, const std::string& reason) {
  if (!reason.empty()) {
    return;
  }
  context.journal.add(events::supervisor_event(
      {record.id, record.name}, "sandbox_end", "workspace", record.last_error, "died"));
}

} // namespace pyro::workspace
