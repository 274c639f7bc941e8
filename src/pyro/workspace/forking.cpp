#include "forking.hpp"

#include "asked_plan.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/os/crash_point.hpp>
#include <pyro/os/id_space.hpp>
#include <pyro/os/workers.hpp>
#include <pyro/store/gc.hpp>
#include <pyro/workspace/apply/fork.hpp>
#include <pyro/workspace/context/context.hpp>
#include <pyro/workspace/context/limits.hpp>
#include <pyro/workspace/context/live_mounts.hpp>
#include <pyro/workspace/state/active.hpp>
#include <pyro/workspace/state/unfinished.hpp>

#include <thread>

namespace pyro::workspace {

namespace {

constexpr int k_most_at_once = 1000;

void check(const ForkRequest& request) {
  if (request.count < 1 || request.count > k_most_at_once) {
    throw Error(ErrorCode::invalid_argument, "count must be between 1 and {}", k_most_at_once);
  }
  if (!request.names.empty() && !request.name.empty()) {
    throw Error(ErrorCode::invalid_argument, "give either name or names");
  }
  if (!request.names.empty() && static_cast<int>(request.names.size()) != request.count) {
    throw Error(
        ErrorCode::invalid_argument, "count is {}, but there are {} names", request.count,
        request.names.size());
  }
  if (request.ttl_seconds) {
    Size size;
    size.ttl_seconds = *request.ttl_seconds;
    check_size(size);
  }
}

/// Starting a sandbox waits about as long as it computes.
std::size_t width() {
  return 2 * std::max(1U, std::thread::hardware_concurrency());
}

Json name_of_snapshot(const ForkSource& source) {
  return source.snapshot ? Json(source.snapshot->name) : Json();
}

/// `actions`: what is done before the first of them.
Json fork_not_done(
    const ForkSource& source, const std::vector<std::string>& names, std::vector<plan::Action> actions) {
  const auto after = actions.empty() ? std::vector<std::string>{} : std::vector{actions.back().address};
  for (const auto& name : names) {
    auto create = asked_of_workspace(
        plan::ActionKind::create,
        source.snapshot ? "snapshots." + source.snapshot->name : source.record.name + " as it is now");
    create.address = "workspaces." + name;
    create.after = after;
    actions.push_back(std::move(create));
  }
  auto answer = not_done(source.record, std::move(actions));
  answer.update(
      {{"source", {{"workspace_id", source.record.id}, {"name", source.record.name}}},
       {"snapshot_name", name_of_snapshot(source)},
       {"count", 0},
       {"workspaces", Json::array()},
       {"failed", Json::array()}});
  return answer;
}

/// All of them at once: each alone would wait for the disk as often as all together.
void sync_or_discard(
    const Context& context, const std::vector<store::WorkspaceRecord>& records,
    const std::vector<os::WorkDone>& done) {
  std::vector<std::string> made;
  for (std::size_t index = 0; index < done.size(); ++index) {
    if (!done[index].error) {
      made.push_back(records[index].id);
    }
  }
  try {
    if (!made.empty()) {
      context.records.sync(made);
    }
  } catch (const Error&) {
    for (const auto& id : made) {
      discard_fork(context, id);
    }
    throw;
  }
}

} // namespace

Json fork_workspace(Context& context, const ForkRequest& request, const Project& project) {
  const auto started = os::now_monotonic();
  context.base.prepare();
  check(request);
  remove_unfinished_workspaces(context);
  const auto located = locate(context, request.workspace, project, HostUse::taken);
  const auto names = fork_names(context, request, context.records.load(located.id));
  const auto store_lock = context.use_store("fork");
  ForkSource source;
  {
    auto locked = lock_workspace(context, located.id, "fork");
    source = fork_source(context, located, locked, request.snapshot);
    if (request.dry_run == DryRun::yes) {
      require_active_room(context, "", names.size());
      return fork_not_done(source, names, to_take_content(context, locked, source));
    }
    take_content(context, locked, source);
  }
  if (!source.record.mounts.empty()) {
    context.emit(
        "note", "mounts",
        live_mounts_kept(source.record.mounts) + "; every fork shows the same ones as the workspace");
  }
  auto records = fork_records(source, names, request.ttl_seconds);
  create_within_limit(context, records);
  std::ignore = os::IdSpace::current(); // found out once, not by every child
  const auto sink = context.sink;
  if (records.size() > 1) {
    context.sink = {}; // children do not draw on our terminal
  }
  const auto done = [&] {
    const store::WorkspaceRecords::Unsynced unsynced(context.records);
    return os::work_in_children(records.size(), width(), [&](std::size_t index) {
      return start_fork(context, source, records[index].id);
    });
  }();
  context.sink = sink;
  os::crash_point("fork.made");
  sync_or_discard(context, records, done);
  Json made = Json::array();
  Json failed = Json::array();
  std::optional<Error> first;
  for (std::size_t index = 0; index < done.size(); ++index) {
    if (!done[index].error) {
      made.push_back(done[index].result);
      continue;
    }
    first = first ? first : done[index].error;
    discard_fork(context, records[index].id); // what was not even begun, or whose child died
    failed.push_back({{"name", names[index]}, {"error", pyro::to_json(*done[index].error)}});
  }
  if (made.empty()) {
    throw *first;
  }
  return {
      {"source", {{"workspace_id", source.record.id}, {"name", source.record.name}}},
      {"snapshot_name", name_of_snapshot(source)},
      {"count", made.size()},
      {"workspaces", made},
      {"failed", failed},
      {"duration_ms", os::took(started)}};
}

} // namespace pyro::workspace
