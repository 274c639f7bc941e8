#include "disk_use.hpp"

#include "machine.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/spare_save.hpp>
#include <pyro/os/atomic_file.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/tree_usage.hpp>
#include <pyro/spec/applied_spec.hpp>
#include <pyro/store/disk_reserve.hpp>
#include <pyro/store/gc.hpp>
#include <pyro/workspace/context/agreement.hpp>
#include <pyro/workspace/context/context.hpp>
#include <pyro/workspace/sandbox/disk_quota.hpp>
#include <pyro/workspace/sandbox/virtual_machine.hpp>
#include <pyro/workspace/state/active.hpp>
#include <pyro/workspace/state/find_and_lock.hpp>
#include <pyro/workspace/state/kept_output.hpp>
#include <pyro/workspace/state/unfinished.hpp>

#include <sys/stat.h>

namespace pyro::workspace {

namespace {

using Records = std::vector<store::WorkspaceRecord>;

/// Of files that say nothing else, as docs/pyro-yaml.md tells.
constexpr store::RecipeRetention k_default_retention{3, std::chrono::hours(24), std::nullopt};
/// Of names that no workspace has any more.
constexpr store::RecipeRetention k_retention_without_workspace{0, std::chrono::hours(24), std::nullopt};

/// `retention` of the file that was applied; where several workspaces have one name, the most that any of
/// them wants.
void keep_as_told(store::GcOptions& options, const store::WorkspaceRecord& record) {
  if (record.name.empty()) {
    return;
  }
  const auto told = spec::applied_spec(record.spec).retention;
  const auto wanted =
      told ? store::RecipeRetention{told->keep, told->min_age, told->max_size} : k_default_retention;
  const auto [known, is_new] = options.recipes_of.emplace(record.name, wanted);
  if (!is_new) {
    auto& all = known->second;
    all.keep = std::max(all.keep, wanted.keep);
    all.min_age = std::max(all.min_age, wanted.min_age);
    all.max_size = all.max_size && wanted.max_size ? std::optional(std::max(*all.max_size, *wanted.max_size))
                                                   : std::nullopt;
  }
}

std::vector<std::string> named_snapshots(const Context& context, const store::WorkspaceRecord& record) {
  std::vector<std::string> names;
  for (const auto& snapshot : context.records.snapshots(record.id)) {
    if (snapshot.kind == store::SnapshotKind::named) {
      names.push_back(snapshot.name);
    }
  }
  return names;
}

bool has_undo(const store::WorkspaceRecord& record) {
  return record.undo && !is_over(*record.undo);
}

/// Destroyed ones that are to go: with PruneKeep::needed all; else those of which nothing is left that
/// somebody saved.
Records doomed_workspaces(const Context& context, PruneKeep keep) {
  Records doomed;
  for (const auto& record : context.records.list()) {
    if (!is_destroyed(record)) {
      continue;
    }
    if (keep == PruneKeep::needed || (!has_undo(record) && named_snapshots(context, record).empty())) {
      doomed.push_back(record);
    }
  }
  return doomed;
}

std::string title_of(const store::WorkspaceRecord& record) {
  return record.name.empty() ? record.id : fmt::format("{} ({})", record.name, record.id);
}

/// What somebody may miss of them; empty: nothing.
std::string loss_of(const Context& context, const Records& doomed) {
  std::string text;
  for (const auto& record : doomed) {
    const auto names = named_snapshots(context, record);
    if (has_undo(record) || !names.empty()) {
      text += fmt::format(
          "  {}: {}{}\n", title_of(record),
          has_undo(record) ? "what `pyro undo` would bring back" : "its record",
          names.empty() ? "" : fmt::format(", and its snapshots {}", fmt::join(names, ", ")));
    }
  }
  return text.empty() ? text
                      : "of these destroyed workspaces nothing could be brought back any more:\n" + text;
}

/// nullopt: it came back meanwhile, or somebody is at work on it.
std::optional<Json> remove_destroyed(Context& context, const store::WorkspaceRecord& record, bool dry_run) {
  const store::WorkspacePaths paths(context.base, record.id);
  const auto bytes = store::bytes_below(paths.root());
  if (!dry_run) {
    const auto lock = os::ExclusiveLock::try_lock(paths.lock(), "prune");
    const auto now = lock ? context.records.find(record.id) : std::nullopt;
    if (!now || !is_destroyed(*now)) {
      return std::nullopt;
    }
    kill_sandbox(paths.runtime());
    remove_workspace(context, paths);
  }
  return Json{
      {"kind", "workspace"},
      {"name", title_of(record)},
      {"size_bytes", bytes},
      {"reason", "it was destroyed"}};
}

/// Undo points whose time is over go with the next lock.
void drop_old_undo_points(Context& context) {
  for (const auto& record : context.records.list()) {
    if (record.undo && is_over(*record.undo)
        && !os::lock_holder(store::WorkspacePaths(context.base, record.id).lock())) {
      std::ignore = lock_workspace(context, record.id, "prune");
    }
  }
}

store::GcOptions collection(const Context& context, const PruneRequest& request, const Records& doomed) {
  store::GcOptions options;
  options.dry_run = request.dry_run;
  options.lock_timeout = context.settings.lock_timeout;
  options.waiting = context.tell_waiting("store");
  for (const auto& record : doomed) {
    options.without.insert(record.id);
  }
  if (request.keep == PruneKeep::retained) {
    for (const auto& record : context.records.list()) {
      if (!options.without.contains(record.id)) {
        keep_as_told(options, record);
      }
    }
    options.recipes = k_retention_without_workspace;
    return options;
  }
  options.recipes = {0, std::chrono::seconds(0), std::nullopt};
  options.images = store::ImageKeep::in_use;
  options.min_age = std::chrono::seconds(0);
  options.caches_of.emplace();
  for (const auto& record : context.records.list()) {
    if (!options.without.contains(record.id)) {
      options.caches_of->insert(record.checkout);
    }
  }
  return options;
}

void add(Json& report, const Json& item) {
  report["removed"].push_back(item);
  report["size_bytes"] = int_or(report, "size_bytes", 0) + int_or(item, "size_bytes", 0);
}

/// Saved guests of virtual machines: made again when one starts.
void prune_templates(const Context& context, bool dry_run, Json& report) {
  for (const auto& path : saved_templates(context.base)) {
    add(report, {{"kind", "template"},
                 {"name", path.substr(path.rfind('/') + 1)},
                 {"size_bytes", store::bytes_below(path)},
                 {"reason", "made again when needed"}});
    if (!dry_run) {
      remove_trees({path}, Detached::no);
    }
  }
}

Json collect(Context& context, const PruneRequest& request, const Records& doomed) {
  auto report = store::to_json(store::collect_garbage(context.base, collection(context, request, doomed)));
  if (request.keep == PruneKeep::needed) {
    prune_templates(context, request.dry_run, report);
  }
  return report;
}

Json holder(const std::string& kind, const std::string& name, std::uint64_t bytes, double until = 0) {
  return {
      {"kind", kind},
      {"name", name},
      {"workspace_id", nullptr},
      {"size_bytes", bytes},
      {"until", or_null(until)}};
}

/// Layers on its behalf, and its own files.
Json with_own_files(const Context& context, const store::GcHolding& holding) {
  auto document = store::to_json(holding);
  if (!holding.id.empty()) {
    const auto own = store::bytes_below(store::WorkspacePaths(context.base, holding.id).root());
    document["size_bytes"] = holding.bytes + own;
  }
  return document;
}

std::uint64_t sum_of(const Json& list) {
  std::uint64_t sum = 0;
  for (const auto& one : list) {
    sum += static_cast<std::uint64_t>(int_or(one, "size_bytes", 0));
  }
  return sum;
}

std::uint64_t bytes_freed(Context& context, PruneKeep keep) {
  const PruneRequest request{keep, true};
  const auto doomed = doomed_workspaces(context, keep);
  auto bytes = sum_of(collect(context, request, doomed)["removed"]);
  for (const auto& record : doomed) {
    bytes += store::bytes_below(store::WorkspacePaths(context.base, record.id).root());
  }
  return bytes;
}

constexpr double k_prune_interval_seconds = 86'400;

void note_pruned(const store::Base& base) {
  save_spare(base.prune_stamp(), [&] { os::write_file_atomically(base.prune_stamp(), ""); });
}

/// The first day begins with the first call.
bool is_prune_due(const store::Base& base) {
  struct stat status {};

  if (::stat(base.prune_stamp().c_str(), &status) != 0) {
    note_pruned(base);
    return false;
  }
  return static_cast<double>(status.st_mtim.tv_sec) + k_prune_interval_seconds <= os::now_epoch();
}

} // namespace

Json prune_store(Context& context, const PruneRequest& request, const ApplyOptions& options) {
  const store::LentReserve reserve(context.base);
  const bool dry = request.dry_run;
  if (!dry) {
    remove_unfinished_workspaces(context);
    remove_unrecorded(context);
    drop_old_undo_points(context);
  }
  for (const auto& record : context.records.list()) {
    std::ignore = recovered_if_there(context, record); // so that what was left can be collected
  }
  auto doomed = doomed_workspaces(context, request.keep);
  if (!dry) {
    require_agreement(loss_of(context, doomed), options);
  }
  Json removed = Json::array();
  Json skipped = Json::array();
  for (const auto& record : doomed) {
    if (auto item = remove_destroyed(context, record, dry)) {
      removed.push_back(std::move(*item));
    } else {
      skipped.push_back(fmt::format("workspace {} is not destroyed any more, or busy", title_of(record)));
    }
  }
  auto report = collect(context, request, dry ? doomed : Records{});
  for (const auto& item : removed) {
    add(report, item);
  }
  report["skipped"].insert(report["skipped"].end(), skipped.begin(), skipped.end());
  if (!dry) {
    if (request.keep == PruneKeep::needed) {
      prune_environments(context, false); // records of images whose layers have just gone
    }
    remove_kept_output(
        context.base, request.keep == PruneKeep::needed ? OutputRetention::none : OutputRetention::by_age);
    release_quotas(context.base);
    note_pruned(context.base);
  }
  return report;
}

Json disk_usage(Context& context) {
  context.base.prepare();
  auto options = collection(context, {PruneKeep::retained, true}, {});
  const auto report = store::collect_garbage(context.base, options);
  Json holders = Json::array();
  for (const auto& holding : report.holdings) {
    if (auto document = with_own_files(context, holding); document["size_bytes"] > 0) {
      holders.push_back(std::move(document));
    }
  }
  const auto& base = context.base;
  for (const auto& [kind, directory] :
       {std::pair{"caches", base.caches()}, std::pair{"disk_images", base.images()},
        std::pair{"templates", templates_directory(base)},
        std::pair{"shared_cache", context.environments.cache().root()}}) {
    if (const auto bytes = store::bytes_below(directory); bytes > 0) {
      holders.push_back(holder(kind, directory, bytes));
    }
  }
  std::uint64_t unneeded = 0;
  for (const auto& item : report.removed) {
    unneeded += item.kind == "layer" || item.kind == "staging" ? item.bytes : 0; // the others are above
  }
  if (unneeded > 0) {
    holders.push_back(holder("unneeded", "", unneeded));
  }
  return {
      {"base", base.root()},
      {"size_bytes", sum_of(holders)},
      {"free_bytes", os::free_bytes(base.root())},
      {"holders", holders},
      {"prune_bytes", bytes_freed(context, PruneKeep::retained)},
      {"prune_all_bytes", bytes_freed(context, PruneKeep::needed)}};
}

void prune_when_due(Context& context) {
  if (!is_prune_due(context.base)) {
    return;
  }
  note_pruned(context.base);
  in_the_background([&] {
    context.sink = nullptr;
    context.settings.lock_timeout = std::chrono::milliseconds(0);
    prune_store(context, {}, {});
  });
}

} // namespace pyro::workspace
