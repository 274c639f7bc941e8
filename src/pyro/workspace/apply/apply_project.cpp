#include "apply_project.hpp"

#include "applier.hpp"

#include <pyro/os/clock.hpp>
#include <pyro/os/crash_point.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/random.hpp>
#include <pyro/store/gc.hpp>
#include <pyro/workspace/context/secrets.hpp>
#include <pyro/workspace/state/active.hpp>
#include <pyro/workspace/state/unfinished.hpp>

namespace pyro::workspace {

namespace {

void refuse_forbidden(const plan::Plan& plan) {
  for (const auto& diagnostic : plan.diagnostics) {
    if (diagnostic.severity == spec::Severity::error) {
      throw Error(ErrorCode::failed, "{}", diagnostic.message)
          .at(diagnostic.place)
          .with_hint(diagnostic.hint);
    }
  }
}

/// No file stands for it that could be applied again.
bool is_by_hand(const LoadedProject& project) {
  return project.file.empty();
}

std::string new_workspace(Context& context, const LoadedProject& project) {
  store::WorkspaceRecord record;
  record.id = os::random_hex(6);
  record.name = project.spec.name;
  record.checkout = project.file.empty() ? "" : project.directory; // made by hand: none
  record.identity_key = project.identity;
  record.created_at = os::now_epoch();
  record.last_activity_at = record.created_at;
  record.project_file = project.file;
  if (is_by_hand(project)) {
    note_maker(record);
  }
  create_within_limit(context, record);
  keep_secrets(store::WorkspacePaths(context.base, record.id), project.secrets);
  return record.id;
}

/// A workspace whose making failed leaves nothing behind: by hand never, declared where it never started,
/// whoever began it. The caller holds its lock by then.
class UnfinishedRemoval {
public:
  UnfinishedRemoval(Context& context, const std::optional<std::string>& id) : m_context(context), m_id(id) {}

  ~UnfinishedRemoval() {
    try {
      if (m_id && !m_dismissed) {
        remove(*m_id);
      }
    } catch (const std::exception&) {
      // What made it fail is being told; the next command tries again.
    }
  }

  UnfinishedRemoval(const UnfinishedRemoval&) = delete;
  UnfinishedRemoval& operator=(const UnfinishedRemoval&) = delete;

  void dismiss() { m_dismissed = true; }

private:
  void remove(const std::string& id) {
    const store::WorkspacePaths paths(m_context.base, id);
    const auto record = m_context.records.find(id);
    if (record && (record->generation == 0 || is_being_made(*record))) {
      kill_sandbox(paths.runtime());
      remove_workspace(m_context, paths);
    }
  }

  Context& m_context;
  const std::optional<std::string>& m_id;
  bool m_dismissed = false;
};

void ask_if_needed(const Planned& planned, const ApplyOptions& options) {
  if (!planned.plan.needs_approval || options.approve_all) {
    return;
  }
  if (!options.ask) {
    throw Error(ErrorCode::approval_needed, "this would discard changes: nothing was done")
        .with_hint("look at the plan, then run it again with --yes; `pyro diff` shows the changes");
  }
  if (!options.ask(planned.text)) {
    throw Error(ErrorCode::approval_needed, "not approved: nothing was done");
  }
}

} // namespace

os::ExclusiveLock
lock_identity(const Context& context, const std::string& identity, const std::string& operation) {
  const auto directory = context.base.root() + "/locks";
  os::make_directories(directory);
  return os::ExclusiveLock(
      directory + "/" + identity, operation, context.settings.lock_timeout, [&](const auto& holder) {
        context.emit(
            "waiting", "workspace",
            fmt::format("waiting for {}", holder ? to_string(*holder) : "another process"));
      });
}

Applied
apply_project(Context& context, const LoadedProject& project, const ApplyOptions& options, bool color) {
  const auto started = os::now_monotonic();
  const auto& backend = backend_for(context, project);
  std::optional<os::ExclusiveLock> identity_lock; // made by hand nobody else can mean the same one
  if (!is_by_hand(project)) {
    identity_lock.emplace(lock_identity(context, project.identity, "apply"));
  }
  const auto store_lock = context.use_store("apply");
  auto resolved = resolve_inputs(context, project, Build::yes);

  auto id = find_workspace(context, "", project.identity);
  std::optional<LockedWorkspace> workspace;
  UnfinishedRemoval unfinished(context, id);
  if (id) {
    workspace.emplace(lock_workspace(context, *id, "apply"));
  }
  const auto use_cache = options.use_cache ? UseCache::yes : UseCache::no;
  auto planned = make_planned(
      context, project, resolved, workspace ? &workspace->record : nullptr, backend, use_cache, color,
      started);
  refuse_forbidden(planned.plan);
  const bool changed = !planned.plan.empty();
  if (changed && !project.file.empty()) { // by hand nobody asked for a plan
    context.emit("plan", "", planned.text, planned.document);
  }
  ask_if_needed(planned, options);
  os::crash_point("apply.planned");
  if (!workspace) {
    id = new_workspace(context, project);
    workspace.emplace(lock_workspace(context, *id, "apply"));
  }
  Applier applier(context, project, resolved, planned.plan, *workspace, backend);
  applier.run(options.wait);
  unfinished.dismiss();
  return {*id, changed, std::move(planned), applier.services(), workspace->record.notes, applier.conflicts()};
}

} // namespace pyro::workspace
