#include "active.hpp"

#include "find_and_lock.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/text.hpp>
#include <pyro/os/crash_point.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/file_lock.hpp>

#include <cstdlib>
#include <cstring>

namespace pyro::workspace {

namespace {

os::ExclusiveLock lock_active(const Context& context) {
  const auto directory = context.base.root() + "/locks";
  os::make_directories(directory);
  return {
      directory + "/active", "the count of active workspaces", context.settings.lock_timeout,
      context.tell_waiting("workspace")};
}

bool looks_active(const Context& context, const store::WorkspaceRecord& record) {
  using State = store::WorkspaceState;
  const auto somebody_works_on_it = [&] {
    return os::lock_holder(store::WorkspacePaths(context.base, record.id).lock()).has_value();
  };
  switch (record.state) {
  case State::created:
    return true;
  case State::started:
    return is_running(record) || somebody_works_on_it(); // between two sandboxes, in a reset
  case State::stopped:
    break;
  }
  // On its way up, unless the process that noted it died: then nobody holds its lock.
  return record.starting && somebody_works_on_it();
}

bool is_active(const Context& context, store::WorkspaceRecord record) {
  while (!looks_active(context, record)) {
    auto now = context.records.find(record.id);
    if (!now || now->revision == record.revision) {
      return false;
    }
    record = std::move(*now); // what we looked at was over by then
  }
  return true;
}

/// `but`: the id of the one that asks; `more`: how many want to be active.
void refuse_above_limit(const Context& context, const std::string& but, std::size_t more = 1) {
  const auto records = context.records.list();
  const auto active = std::count_if(records.begin(), records.end(), [&](const auto& record) {
    return record.id != but && is_active(context, record);
  });
  const auto most =
      context.settings.max_active > 0 ? context.settings.max_active : max_active_of_environment();
  if (active + static_cast<std::ptrdiff_t>(more) > most) {
    const auto wanted = more > 1 ? fmt::format(", {} more were asked for", more) : "";
    throw Error(ErrorCode::bad_state, "max active VMs reached: {} of {}{}", active, most, wanted)
        .with_hint("stop or delete some, remove expired ones with `pyro vm reap`, or raise PYRO_MAX_ACTIVE");
  }
}

/// Directories of workspaces without a record. Under the lock, which whoever makes one holds: their makers
/// were killed.
std::vector<std::string> unrecorded(const Context& context) {
  std::vector<std::string> roots;
  for (const auto& id : context.records.ids()) {
    const store::WorkspacePaths paths(context.base, id);
    if (!os::exists(paths.record())) {
      roots.push_back(paths.root());
    }
  }
  return roots;
}

void remove_those(const std::vector<std::string>& roots) {
  if (!roots.empty()) {
    remove_trees(roots, Detached::no);
  }
}

} // namespace

int max_active_of_environment() {
  constexpr int k_default = 256; // room for a hundred forks and what they were forked from
  const char* text = std::getenv("PYRO_MAX_ACTIVE");
  if (text == nullptr || *text == '\0') {
    return k_default;
  }
  const auto number = whole_number<int>(text).value_or(0);
  if (number < 1) {
    throw Error(ErrorCode::usage, "PYRO_MAX_ACTIVE must be a positive number, not '{}'", text);
  }
  return number;
}

void create_within_limit(const Context& context, store::WorkspaceRecord& record) {
  const auto lock = lock_active(context);
  remove_those(unrecorded(context));
  refuse_above_limit(context, record.id);
  const store::WorkspacePaths paths(context.base, record.id);
  try {
    paths.create();
    os::crash_point("workspace.unrecorded");
    context.records.save(record);
  } catch (const Error&) {
    remove_trees({paths.root()}, Detached::no);
    throw;
  }
}

void create_within_limit(const Context& context, std::vector<store::WorkspaceRecord>& records) {
  const auto lock = lock_active(context);
  remove_those(unrecorded(context));
  refuse_above_limit(context, "", records.size());
  std::vector<std::string> made;
  try {
    for (auto& record : records) {
      const store::WorkspacePaths paths(context.base, record.id);
      paths.create();
      made.push_back(paths.root());
      context.records.save(record, os::Durable::no);
    }
  } catch (const Error&) {
    remove_trees(made, Detached::no);
    throw;
  }
}

void remove_unrecorded(const Context& context) {
  if (unrecorded(context).empty()) {
    return;
  }
  const auto lock = lock_active(context);
  remove_those(unrecorded(context));
}

void require_active_room(const Context& context, const std::string& but, std::size_t more) {
  const auto lock = lock_active(context);
  refuse_above_limit(context, but, more);
}

void start_within_limit(const Context& context, store::WorkspaceRecord& record) {
  if (record.state != store::WorkspaceState::stopped) {
    return; // counted already
  }
  const auto lock = lock_active(context);
  refuse_above_limit(context, record.id);
  record.starting = true;
  context.records.save(record);
}

} // namespace pyro::workspace
