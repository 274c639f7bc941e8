#include "inspection.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/file_lock.hpp>
#include <pyro/spec/applied_spec.hpp>
#include <pyro/spec/normal_form.hpp>
#include <pyro/workspace/context/context.hpp>
#include <pyro/workspace/state/active.hpp>
#include <pyro/workspace/state/describe.hpp>
#include <pyro/workspace/state/drift.hpp>
#include <pyro/workspace/state/locate.hpp>
#include <pyro/workspace/state/snapshots.hpp>
#include <pyro/workspace/state/unfinished.hpp>

#include <unistd.h>

namespace pyro::workspace {

namespace {

/// The snapshot that the content came from: as reset noted it, else the newest on the same layers.
Json base_snapshot_of(
    const store::WorkspaceRecord& record, const std::vector<store::SnapshotRecord>& snapshots) {
  const auto& noted = record.base.snapshot;
  const auto base = base_stack_of(record);
  Json found;
  for (const auto& snapshot : snapshots) {
    const bool same = snapshot.layers == base.layers || snapshot.layers == record.layers;
    if (same && (found.is_null() || snapshot.name != "baseline") && found != noted) {
      found = snapshot.name;
    }
  }
  return found;
}

std::vector<std::string>
roots_for(const std::vector<std::string>& paths, const store::WorkspaceRecord& record) {
  std::vector<std::string> roots;
  for (const auto& path : paths) {
    roots.push_back(path.front() == '/' ? path : record.workdir + "/" + path);
  }
  if (roots.empty()) {
    roots = spec::applied_spec(record.spec).drift_report;
  }
  return roots.empty() ? std::vector<std::string>{"/"} : roots;
}

bool has_labels(const store::WorkspaceRecord& record, const std::map<std::string, std::string>& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const auto& label) {
    const auto found = record.labels.find(label.first);
    return found != record.labels.end() && found->second == label.second;
  });
}

} // namespace

Json get_workspace_status(Context& context, const std::string& workspace, const Project& project) {
  context.base.prepare();
  const auto located = locate(context, workspace, project);
  const auto record = load_and_recover(context, located.id);
  const store::WorkspacePaths paths(context.base, located.id);
  auto document = describe(paths, record);
  Json snapshots = Json::array();
  document["base_snapshot"] = nullptr;
  if (record.generation > 0) { // else its first apply has not come to its content yet
    try {
      const auto records = context.records.snapshots(located.id);
      snapshots = to_json_list(record, records);
      document["base_snapshot"] = base_snapshot_of(record, records);
    } catch (const Error& error) {
      document["snapshots_error"] = error.what();
    }
  }
  document["description"] = spec::applied_spec(record.spec).description;
  document["snapshots"] = snapshots;
  if (const auto changed = spec_changed(located, record)) {
    document["spec_changed"] = *changed;
  }
  const auto holder = os::lock_holder(paths.lock());
  if (holder && holder->pid != ::getpid()) { // our own is that of the call which asks
    document["lock"] = {{"pid", holder->pid}, {"operation", holder->operation}, {"since", holder->since}};
  }
  return document;
}

Json list_workspaces(Context& context, const WorkspaceFilter& filter) {
  context.base.prepare();
  remove_unfinished_workspaces(context);
  remove_unrecorded(context);
  std::vector<Json> found;
  std::vector<std::string> damaged;
  for (const auto& listed : context.records.list(&damaged)) {
    const bool fits =
        (filter.name.empty() || listed.name == filter.name) && has_labels(listed, filter.labels);
    if ((is_destroyed(listed) && !filter.with_destroyed) || is_vm(listed) || is_abandoned(listed) || !fits) {
      continue;
    }
    const auto record = load_and_recover_if_there(context, listed.id);
    if (!record) {
      continue;
    }
    auto document = describe(store::WorkspacePaths(context.base, listed.id), *record);
    if (filter.state.empty() || document["state"] == filter.state) {
      found.push_back(std::move(document));
    }
  }
  std::stable_sort(found.begin(), found.end(), [](const Json& one, const Json& other) {
    return get_double(one, "last_activity_at") > get_double(other, "last_activity_at");
  });
  return {{"count", found.size()}, {"workspaces", found}, {"damaged", damaged}};
}

Json diff_from_base(
    Context& context, const std::string& workspace, const Project& project,
    const std::vector<std::string>& wanted, bool patches) {
  context.base.prepare();
  const auto located = locate(context, workspace, project);
  const store::WorkspacePaths paths(context.base, located.id);
  auto document = read_consistently(context, located.id, "diff", [&](const store::WorkspaceRecord& record) {
    DiffRequest request{base_stack_of(record), roots_for(wanted, record), built_in_ignores()};
    if (located.declared) {
      const auto& own = located.declared->drift.ignore;
      request.ignore.insert(request.ignore.end(), own.begin(), own.end());
    }
    request.patches = patches ? store::Patches::yes : store::Patches::no;
    request.seed_directory = spec::applied_spec(record.spec).seed_directory;
    request.whole_patch = !wanted.empty();
    return diff_workspace(context, paths, record, request);
  });
  document["workspace_id"] = located.id;
  return document;
}

Json diff_from_baseline(Context& context, const std::string& workspace) {
  context.base.prepare();
  const auto located = locate(context, workspace, {});
  const store::WorkspacePaths paths(context.base, located.id);
  return read_consistently(context, located.id, "diff", [&](const store::WorkspaceRecord& record) {
    const auto baseline = context.records.snapshot(located.id, "baseline");
    const DiffRequest request{{baseline.layers, baseline.host_directories}, {"/workspace"}, {}};
    auto document = diff_workspace(context, paths, record, request);
    document.erase("patch_left_out"); // nothing can be
    document["workspace_id"] = record.id;
    document["execution_mode"] = record.execution_mode;
    return document;
  });
}

} // namespace pyro::workspace
