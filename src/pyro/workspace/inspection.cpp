#include "inspection.hpp"

#include "resource_usage.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/file_lock.hpp>
#include <pyro/spec/applied_spec.hpp>
#include <pyro/spec/normal_form.hpp>
#include <pyro/workspace/context/context.hpp>
#include <pyro/workspace/sandbox/refused_meanwhile.hpp>
#include <pyro/workspace/state/active.hpp>
#include <pyro/workspace/state/apply_timings.hpp>
#include <pyro/workspace/state/describe.hpp>
#include <pyro/workspace/state/drift.hpp>
#include <pyro/workspace/state/locate.hpp>
#include <pyro/workspace/state/snapshots.hpp>
#include <pyro/workspace/state/unfinished.hpp>
#include <pyro/workspace/state/verification_records.hpp>

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

/// What is looked at: below what was asked for, else below what the file reports.
std::vector<std::string> roots_for(const Pathspec& wanted, const store::WorkspaceRecord& record) {
  auto roots = wanted.roots();
  if (roots.empty()) {
    roots = spec::applied_spec(record.spec).drift_report;
  }
  return roots.empty() ? std::vector<std::string>{"/"} : roots;
}

/// Without what the file, where there is one, does not want to hear of.
std::vector<std::string> ignores_of(const Located& located) {
  auto ignores = built_in_ignores();
  if (located.declared) {
    const auto& own = located.declared->drift.ignore;
    ignores.insert(ignores.end(), own.begin(), own.end());
  }
  return ignores;
}

/// What `verify` found of this project: {at, reproducible, count, classes, current}; null: nothing.
Json describe_verification(const Context& context, const store::WorkspaceRecord& record) {
  const auto found = VerificationRecords(context.base).find(record.identity_key);
  if (!found.is_object()) {
    return nullptr;
  }
  bool is_current = record.links.is_array() && !record.links.empty();
  for (const auto& link : is_current ? record.links : Json::array()) {
    const bool is_files = string_or(link, "point", "") != "ready";
    const auto verified = found.at("links").value(string_or(link, "address", ""), Json());
    is_current = is_current && (!is_files || verified == link.value("key", Json("")));
  }
  return {
      {"at", found.value("at", Json())},
      {"reproducible", found.value("reproducible", Json())},
      {"count", found.value("count", Json())},
      {"classes", found.value("classes", Json())},
      {"current", is_current}};
}

/// {"count", "causes"}: what was changed inside. Null where it cannot be told: nothing was applied, a machine
/// whose files would have to be fetched first, content that makes no sense.
Json describe_drift(Context& context, const Located& located, const store::WorkspaceRecord& record) {
  if (is_destroyed(record) || record.generation == 0 || record.execution_mode.starts_with("guest")) {
    return nullptr;
  }
  try {
    const store::WorkspacePaths paths(context.base, located.id);
    DiffRequest request{base_stack_of(record), roots_for(Pathspec({}, "/"), record), ignores_of(located)};
    request.patches = store::Patches::no;
    request.absolute_paths = true;
    request.explained = true;
    const auto diff = read_consistently(context, located.id, "status", [&](const auto& now) {
      request.before = base_stack_of(now);
      return diff_workspace(context, paths, now, request);
    });
    return {{"count", diff["entries"].size()}, {"causes", diff["causes"]}};
  } catch (const Error& error) {
    if (error.code() == ErrorCode::interrupted || error.code() == ErrorCode::timeout) {
      throw;
    }
    return nullptr;
  }
}

bool has_labels(const store::WorkspaceRecord& record, const std::map<std::string, std::string>& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const auto& label) {
    const auto found = record.labels.find(label.first);
    return found != record.labels.end() && found->second == label.second;
  });
}

} // namespace

Json describe_lock(const os::LockHolder& holder) {
  return {
      {"pid", holder.pid},
      {"operation", holder.operation},
      {"since", holder.since},
      {"owner", holder.owner},
      {"host", holder.host}};
}

Json unlock_workspace(Context& context, const std::string& workspace, const Project& project) {
  context.base.prepare();
  const auto located = locate(context, workspace, project);
  const store::WorkspacePaths paths(context.base, located.id);
  const bool was_left = os::exists(paths.journal());
  if (!os::ExclusiveLock::try_lock(paths.lock(), "unlock")) {
    const auto holder = os::lock_holder(paths.lock());
    throw Error(
        ErrorCode::locked, "the lock is held by {}, which is alive: it is not taken away",
        holder ? to_string(*holder) : std::string("another process"))
        .with_hint("it is free as soon as that ends, however it ends; the next command goes on from there");
  }
  const auto record = load_and_recover(context, located.id); // what a dead holder left half done
  return {{"workspace_id", located.id}, {"name", record.name}, {"changed", was_left}};
}

Json get_workspace_status(
    Context& context, const std::string& workspace, const Project& project, WithDrift with_drift) {
  context.base.prepare();
  const auto located = locate(context, workspace, project);
  const auto record =
      located.record ? recovered(context, *located.record) : load_and_recover(context, located.id);
  const store::WorkspacePaths paths(context.base, located.id);
  const bool is_listed = egress_kind(record.egress) == RefusedMeanwhile::Egress::list;
  auto questions = questions_of_use();
  if (is_listed) {
    questions.push_back(inquiry::k_hosts);
  }
  const SandboxAnswers answers(paths, record, questions);
  auto document = describe(paths, record, answers);
  add_resources(record, answers, document);
  if (is_listed) {
    document["network"].update(answers.maybe(inquiry::k_hosts).value_or(Json::object()));
  }
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
  document["verified"] = describe_verification(context, record);
  if (with_drift == WithDrift::yes) {
    document["drift"] = describe_drift(context, located, record);
  }
  document["description"] = spec::applied_spec(record.spec).description;
  document["snapshots"] = snapshots;
  if (const auto changed = spec_changed(located, record)) {
    document["spec_changed"] = *changed;
  }
  const auto holder = os::lock_holder(paths.lock());
  if (holder && holder->pid != ::getpid()) { // our own is that of the call which asks
    document["lock"] = describe_lock(*holder);
  }
  return document;
}

Json read_events(
    Context& context, const std::string& workspace, const std::string& cursor, std::int64_t tail) {
  context.base.prepare();
  if (tail < 0) {
    throw Error(ErrorCode::invalid_argument, "tail: {} is no number of events", tail);
  }
  context.check_interrupted(); // who follows asks again and again
  const auto page = context.journal.read(cursor, static_cast<std::size_t>(tail), workspace);
  return {{"events", page.events}, {"cursor", page.cursor}};
}

Json last_apply_timing(Context& context, const std::string& workspace, const Project& project) {
  context.base.prepare();
  const auto located = locate(context, workspace, project);
  const auto record = load_and_recover(context, located.id);
  auto document = last_timings(store::WorkspacePaths(context.base, located.id));
  if (!document.is_object()) {
    throw Error(ErrorCode::not_found, "nothing is known of an apply of {}", record.name)
        .with_hint("the next `pyro apply` that does something is timed");
  }
  document["workspace_id"] = record.id;
  document["name"] = record.name;
  return document;
}

Json list_workspaces(Context& context, const WorkspaceFilter& filter) {
  context.base.prepare();
  std::vector<Json> found;
  std::vector<std::string> damaged;
  const auto all = context.records.list(&damaged);
  remove_unfinished_workspaces(context, all);
  if (!damaged.empty()) {
    remove_unrecorded(context);
    std::erase_if(damaged, [&](const std::string& id) {
      return !os::exists(store::WorkspacePaths(context.base, id).root());
    });
  }
  for (const auto& listed : all) {
    const bool fits =
        (filter.name.empty() || listed.name == filter.name) && has_labels(listed, filter.labels);
    if ((is_destroyed(listed) && !filter.with_destroyed) || is_vm(listed) || is_abandoned(listed) || !fits) {
      continue;
    }
    const auto record = recovered_if_there(context, listed);
    if (!record) {
      continue;
    }
    const store::WorkspacePaths paths(context.base, listed.id);
    auto document = describe(paths, *record, SandboxAnswers(paths, *record, questions_to_describe()));
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
    const Pathspec only(wanted, record.workdir);
    DiffRequest request{base_stack_of(record), roots_for(only, record), ignores_of(located)};
    request.absolute_paths = true;
    request.explained = true;
    request.only = only;
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
