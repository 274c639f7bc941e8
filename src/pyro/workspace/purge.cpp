#include "purge.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/units.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/store/gc.hpp>
#include <pyro/workspace/context/agreement.hpp>
#include <pyro/workspace/context/context.hpp>
#include <pyro/workspace/sandbox/disk_quota.hpp>
#include <pyro/workspace/sandbox/sandboxes.hpp>
#include <pyro/workspace/sandbox/virtual_machine.hpp>
#include <pyro/workspace/state/find_and_lock.hpp>

#include <unistd.h>

namespace pyro::workspace {

namespace {

/// The cache is of all state directories of this user; it goes with the last one that has images.
bool takes_cache(const Context& context) {
  return os::is_directory(context.environments.cache().directory())
         && !context.environments.has_other_homes();
}

std::string question(const Context& context, std::uint64_t bytes) {
  const auto& base = context.base;
  auto text = fmt::format(
      "all that pyro has here would be removed for good: {} below {}\n", format_bytes(bytes), base.root());
  for (const auto& record : context.records.list()) {
    text += fmt::format(
        "  workspace {} ({}){}\n", record.name.empty() ? record.id : record.name,
        is_destroyed(record) ? "destroyed"
        : is_running(record) ? "running"
                             : "stopped",
        record.checkout.empty() ? "" : " of " + record.checkout);
  }
  if (takes_cache(context)) {
    text += fmt::format("  the cache {}\n", context.environments.cache().directory());
  }
  return text;
}

/// Its sandbox, and those of steps that a killed pyro left.
void end_sandboxes(const store::WorkspacePaths& paths) {
  kill_sandbox(paths.runtime());
  const auto builds = paths.root() + "/build";
  for (const auto& name : os::list_directory(builds)) {
    kill_sandbox(builds + "/" + name + "/runtime");
  }
}

void remove_workspaces(const Context& context, Json& skipped) {
  for (const auto& id : context.records.ids()) {
    const store::WorkspacePaths paths(context.base, id);
    const os::ExclusiveLock lock(
        paths.lock(), "purge", context.settings.lock_timeout, context.tell_waiting("workspace"));
    end_sandboxes(paths);
    remove_trees({paths.root()}, Detached::no);
    if (os::exists(paths.root())) {
      skipped.push_back(paths.root());
    }
  }
  release_quotas(context.base);
}

/// What is in the directory and not of pyro's stays, and the directory with it.
void remove_parts(
    const std::string& directory, std::span<const std::string_view> parts, Json& removed, Json& left) {
  std::vector<std::string> trees;
  for (const auto part : parts) {
    const auto path = fmt::format("{}/{}", directory, part);
    if (os::exists(path)) {
      trees.push_back(path);
    }
  }
  remove_trees(trees, Detached::no);
  os::remove_old_temporaries(directory);
  if (::rmdir(directory.c_str()) == 0) {
    removed.push_back(directory);
    return;
  }
  for (const auto& name : os::list_directory(directory)) {
    left.push_back(fmt::format("{}/{}", directory, name));
  }
}

} // namespace

Json purge(Context& context, const ApplyOptions& options) {
  const auto& base = context.base;
  Json removed = Json::array();
  Json left = Json::array();
  if (!os::exists(base.root())) {
    return {{"removed", removed}, {"left", left}, {"workspaces", 0}, {"size_bytes", 0}};
  }
  base.prepare(); // refuses what is not ours
  const auto cache = context.environments.cache();
  auto bytes = store::bytes_below(base.root());
  require_agreement(question(context, bytes), options);
  const bool with_cache = takes_cache(context);
  bytes += with_cache ? store::bytes_below(cache.directory()) : 0;
  const auto count = context.records.ids().size();
  {
    const os::ExclusiveLock store_lock(
        base.store_lock(), "purge", context.settings.lock_timeout, context.tell_waiting("store"));
    remove_workspaces(context, left);
    remove_trees(saved_templates(base), Detached::no);
    remove_parts(base.root(), store::Base::parts(), removed, left);
  }
  if (!with_cache || context.environments.has_other_homes()) { // one may have begun meanwhile
    remove_trees({cache.records_of(base.root())}, Detached::no);
  } else {
    static constexpr std::array<std::string_view, 1> k_parts{"environments"};
    remove_parts(cache.root(), k_parts, removed, left);
  }
  return {{"removed", removed}, {"left", left}, {"workspaces", count}, {"size_bytes", bytes}};
}

} // namespace pyro::workspace
