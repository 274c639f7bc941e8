#include "apply_project.hpp"

#include "applier.hpp"
#include "room.hpp"

#include <pyro/os/clock.hpp>
#include <pyro/os/crash_point.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/random.hpp>
#include <pyro/plan/render.hpp>
#include <pyro/store/gc.hpp>
#include <pyro/workspace/context/secrets.hpp>
#include <pyro/workspace/sandbox/failed_step.hpp>
#include <pyro/workspace/state/active.hpp>
#include <pyro/workspace/state/describe.hpp>
#include <pyro/workspace/state/unfinished.hpp>

namespace pyro::workspace {

namespace {

void refuse_denied(const plan::Plan& plan) {
  if (plan.denials.empty()) {
    return;
  }
  const auto& first = plan.denials.front();
  std::vector<std::string> lines;
  for (const auto& denial : plan.denials) {
    lines.push_back(to_string(denial));
  }
  throw Error(
      ErrorCode::permission, "the policy denies it: {}, at {} ({}){}", first.rule, first.address,
      plan::name_of(first.kind),
      plan.denials.size() == 1 ? "" : fmt::format(", and {} more", plan.denials.size() - 1))
      .at(first.place)
      .with_hint(first.message.empty() ? "nothing was done" : first.message)
      .with_output(plan.denials.size() == 1 ? std::vector<std::string>() : std::move(lines));
}

void refuse_forbidden(const plan::Plan& plan) {
  for (const auto& diagnostic : plan.diagnostics) {
    if (diagnostic.severity == spec::Severity::error) {
      const auto code = diagnostic.code == "secret" ? ErrorCode::input_missing : ErrorCode::failed;
      throw Error(code, "{}", diagnostic.message).at(diagnostic.place).with_hint(diagnostic.hint);
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
  record.checkout = is_by_hand(project) ? "" : project.directory; // made by hand: none
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

/// What somebody should know though nothing is done; where something is, the plan has it.
void tell_notes(const Context& context, const plan::Plan& plan) {
  for (const auto& action : plan.actions) {
    if (action.kind == plan::ActionKind::note) {
      context.emit("note", action.address, plan::reason_text(action.reason));
    }
  }
}

constexpr int k_seed_attempts = 16; // files that come and go are met anew each time

/// What one attempt leaves for the next, after files of the seed changed between its scan and its copy, or
/// after the question that it had.
struct Attempts {
  int left = k_seed_attempts;
  RestlessFiles restless;
  bool is_shown = false;
  std::optional<Json> agreed = {};            // the plan that somebody said yes to
  std::optional<Planned> question = {};       // has to be agreed to before the next
  std::optional<int> planned_generation = {}; // of the plan that was shown, before the first attempt
  std::chrono::milliseconds started = os::now_monotonic();
};

/// Are there attempts left?
bool note_changed_seed(Context& context, const ResolvedInputs& resolved, Attempts& attempts) {
  if (resolved.changed.empty() || --attempts.left == 0) {
    return false;
  }
  for (const auto& path : resolved.changed) {
    context.emit("note", "seed", path + ": it changed while it was copied: the seed is read again");
  }
  attempts.restless.insert(resolved.changed.begin(), resolved.changed.end());
  return true;
}

/// A first apply starts every service: what they miss is told before an image is fetched for them.
void require_secrets(const Context& context, const LoadedProject& project) {
  auto secrets = secrets_of(context, project, "");
  for (const auto& name : secrets_at_run_time(project.spec)) {
    if (const auto problem = secrets.problem(name)) {
      throw *problem;
    }
  }
}

/// Is all that would lose something allowed by name?
bool is_allowed(const plan::Plan& plan, const ApplyOptions& options) {
  return std::all_of(
      plan.approval_reasons.begin(), plan.approval_reasons.end(),
      [&](const std::string& kind) { return options.allowed.contains(kind); });
}

bool has_to_ask(const Planned& planned, const ApplyOptions& options, const Attempts& attempts) {
  const bool is_agreed = attempts.agreed && plan::same_actions(*attempts.agreed, planned.plan);
  return planned.plan.needs_approval && !options.approve_all && !is_allowed(planned.plan, options)
         && !is_agreed;
}

/// Nothing is locked meanwhile, since an answer may take hours; what is agreed to is therefore planned anew.
void ask(const ApplyOptions& options, Attempts& attempts) {
  auto& planned = *attempts.question;
  if (!options.ask) {
    throw Error(ErrorCode::approval_needed, "this would discard changes: nothing was done")
        .with_hint("look at the plan, then run it again with --yes; `pyro diff` shows the changes");
  }
  if (!options.ask(planned.text)) {
    throw Error(ErrorCode::approval_needed, "not approved: nothing was done");
  }
  attempts.agreed = std::move(planned.document);
  attempts.question.reset();
}

/// Does a plan that was shown still say what would be done? Returns the generation that it is of; none: there
/// is no workspace.
std::optional<int> require_plan(Context& context, const LoadedProject& project, const ApplyOptions& options) {
  const auto& plan_id = options.plan_id;
  std::optional<LockedWorkspace> workspace;
  if (const auto id = find_workspace(context, "", project.identity)) {
    workspace.emplace(lock_workspace(context, *id, "apply"));
  }
  const auto planned = plan_without_building(
      context, project, workspace ? &workspace->record : nullptr, options.choice, false, os::now_monotonic());
  const auto now = plan::plan_id_of(planned.document);
  const bool is_equivalent = options.if_equivalent && !plan::equivalence_of(plan_id).empty()
                             && plan::equivalence_of(plan_id) == plan::equivalence_of(now);
  if (now != plan_id && !is_equivalent) {
    throw Error(ErrorCode::stale, "something else would be done now than what the plan {} says", plan_id)
        .with_hint("nothing was done; look at a new one: `pyro plan`");
  }
  return workspace ? std::optional<int>(workspace->record.generation) : std::nullopt;
}

/// Between the look at the plan and this lock somebody else may have had the workspace.
void require_generation(const LockedWorkspace& workspace, const std::optional<int>& planned) {
  if (planned && workspace.record.generation != *planned) {
    throw Error(ErrorCode::stale, "the workspace was changed while the plan was looked at again")
        .with_hint("nothing was done; look at a new one: `pyro plan`");
  }
}

/// nullopt: the seed did not hold still, or there is a question.
std::optional<Applied> try_to_apply(
    Context& context, const LoadedProject& whole, const ApplyOptions& options, bool color,
    Attempts& attempts) {
  auto project = whole; // of which a part may be left out
  const auto& backend = backend_for(context, project, options.choice);
  auto id = find_workspace(context, "", project.identity);
  if (!id) {
    require_secrets(context, project);
  }
  auto resolved = resolve_inputs(context, project, Build::yes, attempts.restless);

  std::optional<LockedWorkspace> workspace;
  UnfinishedRemoval unfinished(context, id);
  if (id) {
    workspace.emplace(lock_workspace(context, *id, "apply"));
    require_generation(*workspace, std::exchange(attempts.planned_generation, std::nullopt));
  }
  const auto use_cache = options.use_cache ? UseCache::yes : UseCache::no;
  auto secrets = secrets_of(context, project, id.value_or(""));
  auto planned = make_planned(
      context, project, resolved, secrets, workspace ? &workspace->record : nullptr,
      {backend, use_cache, options.choice, color, attempts.started});
  refuse_forbidden(planned.plan);
  refuse_denied(planned.plan);
  secrets.read(plan::secrets_needed(project.spec, planned.plan.actions));
  require_room(context, planned.plan, resolved, workspace ? workspace->paths.root() : "");
  const bool changed = !planned.plan.empty();
  const bool is_question = has_to_ask(planned, options, attempts);
  const bool is_another = is_question && attempts.agreed.has_value();
  if (changed && !is_by_hand(project) && (!attempts.is_shown || is_another)) { // by hand nobody asked
    context.emit("plan", "", planned.text, planned.document);
    attempts.is_shown = true;
  }
  if (!changed) {
    tell_notes(context, planned.plan);
  }
  if (is_question) {
    attempts.question = std::move(planned);
    return std::nullopt;
  }
  os::crash_point("apply.planned");
  if (!workspace) {
    id = new_workspace(context, project);
    workspace.emplace(lock_workspace(context, *id, "apply"));
  }
  Applier applier(context, project, resolved, secrets, planned, *workspace, backend, {use_cache, options});
  try {
    applier.run();
  } catch (const Error&) {
    if (note_changed_seed(context, resolved, attempts)) {
      return std::nullopt;
    }
    throw;
  }
  unfinished.dismiss();
  return Applied{
      *id,
      changed,
      std::move(planned),
      applier.services(),
      describe_ports(workspace->paths, workspace->record),
      workspace->record.notes,
      applier.conflicts()};
}

/// nullopt: there is a question.
std::optional<Applied> apply_or_ask(
    Context& context, const LoadedProject& project, const ApplyOptions& options, bool color,
    Attempts& attempts) {
  std::optional<os::ExclusiveLock> identity_lock; // made by hand nobody else can mean the same one
  if (!is_by_hand(project)) {
    identity_lock.emplace(lock_identity(context, project.identity, "apply"));
  }
  const auto store_lock = context.use_store("apply");
  if (!is_by_hand(project)) {
    FailedStepRoom(context, project.identity).forget();
  }
  if (!options.plan_id.empty() && !attempts.agreed) {
    attempts.planned_generation = require_plan(context, project, options);
  }
  std::optional<Applied> applied;
  while (!applied && !attempts.question) {
    applied = try_to_apply(context, project, options, color, attempts);
  }
  return applied;
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
  Attempts attempts;
  for (;;) {
    if (auto applied = apply_or_ask(context, project, options, color, attempts)) {
      return std::move(*applied);
    }
    ask(options, attempts);
  }
}

} // namespace pyro::workspace
