#include "outdated_snapshot.hpp"

#include "build_once.hpp"
#include "ready_point.hpp"
#include "required_users.hpp"
#include "room.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/plan/render.hpp>
#include <pyro/workspace/state/snapshots.hpp>

namespace pyro::workspace {

namespace {

class Remaking {
public:
  Remaking(
      Context& context, LockedWorkspace& workspace, const store::SnapshotRecord& snapshot,
      const LoadedProject& project, ProjectSecrets& secrets)
      : m_context(context), m_workspace(workspace), m_snapshot(snapshot), m_project(project),
        m_secrets(secrets), m_address(plan::address_of(plan::Subject::snapshot, snapshot.name)),
        m_resolved(resolve_as_applied(project, plan::chain_from_json(workspace.record.links))),
        m_backend(context.backend_named(workspace.record.backend)),
        m_builder(
            context, project, m_resolved, secrets, m_backend, workspace.record.id, workspace.paths.root()) {}

  store::SnapshotRecord run() {
    const auto [first, last] = require_all();
    m_context.emit(
        "note", m_address,
        "out of date since the seed was synced: it is made again in a separate sandbox first");
    for (auto index = first; index <= last; ++index) {
      make(index);
    }
    for (const auto& [name, value] : m_secrets.values()) {
      m_workspace.secrets.push_back({name, value}); // may lie in files that the steps made
    }
    require_users(m_context, m_project.spec, m_backend, stack_of(last));
    record_all_that_are_there();
    return m_context.records.snapshot(m_workspace.record.id, m_snapshot.name);
  }

  /// What run() would make, each after the one before it.
  std::vector<plan::Action> actions() {
    const auto [first, last] = require_all();
    std::vector<plan::Action> actions;
    const auto add = [&](plan::Subject subject, const std::string& address, plan::ActionKind kind) {
      plan::Action action;
      action.subject = subject;
      action.address = address;
      action.kind = kind;
      action.reason.code = plan::ReasonCode::asked_for;
      if (!actions.empty()) {
        action.after = {actions.back().address};
      }
      actions.push_back(std::move(action));
    };
    for (auto index = first; index <= last; ++index) {
      if (const auto& link = m_resolved.chain[index]; !is_built(m_context, link)) {
        add(plan::Subject::link, link.address, plan::ActionKind::rebuild);
        actions.back().reason.field = m_address;
        actions.back().apart = true;
      }
    }
    add(plan::Subject::snapshot, m_address, plan::ActionKind::retake);
    actions.back().name = m_snapshot.name;
    actions.back().target = m_resolved.chain[last].point;
    return actions;
  }

private:
  struct Links {
    std::size_t first;
    std::size_t last;
  };

  /// Throws what can be known to fail before the first of them is made.
  Links require_all() {
    const auto last = index_of_key();
    const auto first = *plan::index_of_point(m_resolved.chain, "seed") + 1;
    require_seed(first - 1);
    read_secrets(first, last);
    if (!is_built(m_context, m_resolved.chain[last])) {
      require_room_for_sandbox(m_context, m_address);
    }
    return {first, last};
  }

  /// Those of points below have their layers now as well.
  void record_all_that_are_there() {
    const auto& record = m_workspace.record;
    for (const auto& snapshot : m_context.records.snapshots(record.id)) {
      const auto index = is_outdated(record, snapshot) ? find_key(snapshot.outdated_by) : std::nullopt;
      if (index && is_built(m_context, m_resolved.chain[*index])) {
        record_snapshot(
            m_context, m_workspace, snapshot.name, store::SnapshotKind::managed, stack_of(*index),
            snapshot.outdated_by);
      }
    }
  }

  std::optional<std::size_t> find_key(const HexDigest& key) const {
    for (std::size_t index = 0; index < m_resolved.chain.size(); ++index) {
      if (m_resolved.chain[index].key == key) {
        return index;
      }
    }
    return std::nullopt;
  }

  std::size_t index_of_key() const {
    if (const auto index = find_key(m_snapshot.outdated_by)) {
      return *index;
    }
    throw Error(
        ErrorCode::bad_state,
        "snapshot {} is out of date since the seed was synced, and {} has changed since the last apply",
        m_snapshot.name, m_project.shown)
        .at(m_project.spec.place(m_address))
        .with_hint("`pyro apply` brings it up to date; `pyro reset --to baseline` works as it is");
  }

  void require_seed(std::size_t index) const {
    if (!is_built(m_context, m_resolved.chain[index])) {
      throw Error(
          ErrorCode::bad_state,
          "snapshot {} is out of date since the seed was synced, and that seed is in the store no more",
          m_snapshot.name)
          .with_hint("`pyro apply --no-cache` makes all of it anew");
    }
  }

  /// What steps and services miss is told before the first of them.
  void read_secrets(std::size_t first, std::size_t last) {
    std::set<std::string> names;
    for (auto index = first; index <= last; ++index) {
      const auto& link = m_resolved.chain[index];
      if (is_built(m_context, link)) {
        continue;
      }
      if (link.point == "ready") {
        names.merge(secrets_at_run_time(m_project.spec));
      }
      for (const auto& step : m_project.spec.prepare) {
        if (link.point == "prepare." + step.id) {
          names.insert(step.secrets.begin(), step.secrets.end());
        }
      }
    }
    m_secrets.read(names);
  }

  void make(std::size_t index) {
    const auto& link = m_resolved.chain[index];
    if (is_built(m_context, link)) {
      return;
    }
    m_context.check_interrupted();
    plan::Action action;
    action.kind = plan::ActionKind::rebuild;
    action.apart = true;
    const auto started = os::now_monotonic();
    m_context.emit("action_start", link.address, plan::action_text(action, plan::Tense::present));
    build_once(m_context, link, UseCache::yes, longest_build(m_project.spec, link.address), [&] {
      if (link.point == "ready") {
        make_ready(link, index, started);
      } else {
        m_builder.build(index);
      }
    });
    m_context.emit(
        "action_complete", link.address, plan::action_text(action, plan::Tense::past),
        {{"duration_ms", (os::now_monotonic() - started).count()}, {"action", plan::name_of(action.kind)}});
  }

  void make_ready(const plan::Link& link, std::size_t index, std::chrono::milliseconds started) {
    const auto& record = m_workspace.record;
    const auto stack = make_ready_point(
        m_context, {m_project, m_resolved, m_secrets, {record.user, record.env}}, m_builder,
        stack_of(index - 1));
    remember_ready_point(m_context, link.key, record.name, stack, os::now_monotonic() - started);
  }

  store::LayerStack stack_of(std::size_t index) const { return m_builder.stack_of(index); }

  Context& m_context;
  LockedWorkspace& m_workspace;
  const store::SnapshotRecord& m_snapshot;
  const LoadedProject& m_project;
  ProjectSecrets& m_secrets;
  std::string m_address;
  ResolvedInputs m_resolved;
  const backend::Backend& m_backend;
  LayerBuilder m_builder;
};

void require_file(
    const store::SnapshotRecord& snapshot, const LoadedProject* project, const ProjectSecrets* secrets) {
  if (!project || !secrets) {
    throw Error(
        ErrorCode::bad_state,
        "snapshot {} is out of date since the seed was synced, and the file that says how it is made cannot "
        "be read",
        snapshot.name)
        .with_hint("`pyro reset --to baseline` works without it");
  }
}

} // namespace

store::SnapshotRecord up_to_date(
    Context& context, LockedWorkspace& workspace, const store::SnapshotRecord& snapshot,
    const LoadedProject* project, ProjectSecrets* secrets) {
  if (!is_outdated(workspace.record, snapshot)) {
    return snapshot;
  }
  require_file(snapshot, project, secrets);
  return Remaking(context, workspace, snapshot, *project, *secrets).run();
}

std::vector<plan::Action> to_be_up_to_date(
    Context& context, LockedWorkspace& workspace, const store::SnapshotRecord& snapshot,
    const LoadedProject* project, ProjectSecrets* secrets) {
  if (!is_outdated(workspace.record, snapshot)) {
    return {};
  }
  require_file(snapshot, project, secrets);
  return Remaking(context, workspace, snapshot, *project, *secrets).actions();
}

} // namespace pyro::workspace
