#include "half_made.hpp"

#include "export_area.hpp"

#include <pyro/os/process.hpp>

#include <unistd.h>

namespace pyro::workspace {

namespace {

constexpr auto k_key = "maker";

} // namespace

void note_maker(store::WorkspaceRecord& record) {
  if (const auto self = os::process_id_of(::getpid())) {
    record.metadata[k_key] = {
        {"pid", self->pid}, {"start_time", self->start_time}, {"boot_id", self->boot_id}};
  }
}

void forget_maker(store::WorkspaceRecord& record) {
  record.metadata.erase(k_key);
}

bool is_being_made(const store::WorkspaceRecord& record) {
  return record.metadata.contains(k_key);
}

bool is_abandoned(const store::WorkspaceRecord& record) {
  if (!is_being_made(record)) {
    return false;
  }
  const auto& maker = record.metadata[k_key];
  return !os::is_alive(
      {static_cast<pid_t>(get_int(maker, "pid")), static_cast<std::uint64_t>(get_int(maker, "start_time")),
       get_string(maker, "boot_id")});
}

void remove_half_made(const Context& context) {
  remove_abandoned_exports(context.base.exports());
  for (const auto& record : context.records.list()) {
    if (is_abandoned(record)) {
      std::ignore = remove_if_free(context, record.id);
    }
  }
}

} // namespace pyro::workspace
