// The chain and the snapshots of a plan.
#include "planner.hpp"

namespace pyro::plan {

void Planner::need(std::size_t index) {
  const auto& chain = m_content.chain;
  if (chain[index].point == "ready") {
    --index; // what runs is not a layer; what it runs on is
  }
  m_needed = std::max(m_needed.value_or(0), index);
}

bool Planner::size_changed() const {
  return std::any_of(m_fields.begin(), m_fields.end(), [](const FieldChange& change) {
    return change.effect == FieldEffect::live_resize;
  });
}

/// Index of the link that a new or reset workspace starts from: the ready point if it was captured, else the
/// content.
std::size_t Planner::content_index() const {
  const auto& chain = m_content.chain;
  const bool warm = chain.back().point == "ready" && m_cached.contains(chain.back().key);
  return warm ? chain.size() - 1 : *index_of_point(chain, "prepare");
}

/// The same as people call it: by the name of a snapshot that is there, or by the point.
std::string Planner::content_target(std::size_t index) const {
  const auto& link = m_content.chain[index];
  const auto is_there = [&](const std::string& name) {
    const auto taken = m_observed.snapshots.find(name);
    return !m_observed.build_all && m_spec.snapshots.contains(name) && taken != m_observed.snapshots.end()
           && taken->second == link.key;
  };
  if (is_there(m_spec.reset.to)) {
    return "snapshots." + m_spec.reset.to;
  }
  for (const auto& [name, unused] : m_spec.snapshots) {
    if (is_there(name)) {
      return "snapshots." + name;
    }
  }
  return link.point;
}

/// What the file said of it at the last apply; null: nothing.
Json Planner::applied_snapshot(const std::string& name) const {
  const auto& applied = m_observed.applied_spec;
  const auto snapshots = applied.is_object() ? applied.value("snapshots", Json()) : Json();
  return snapshots.is_object() ? snapshots.value(name, Json()) : Json();
}

/// A snapshot that only another seed has made outdated, where making it takes steps or services: whoever
/// edits a file waits for none of them.
bool Planner::waits_for_use(const std::string& name, std::size_t index) const {
  const auto& chain = m_content.chain;
  if (m_spec.seed.on_change == spec::OnChange::reset || content_is_renewed() || m_observed.build_all
      || index <= *index_of_point(chain, "seed") || m_cached.contains(chain[index].key)
      || index >= m_observed.applied_links.size()) {
    return false;
  }
  const auto& wanted = m_spec.snapshots.at(name);
  const auto applied = applied_snapshot(name);
  const auto last = static_cast<std::ptrdiff_t>(index) + 1;
  return applied.is_object() && string_or(applied, "at", "") == wanted.at
         && string_or(applied, "memory", "auto") == name_of(wanted.memory)
         && only_seed_tree(
             {m_observed.applied_links.begin(), m_observed.applied_links.begin() + last},
             {chain.begin(), chain.begin() + last});
}

void Planner::plan_snapshots() {
  const auto& chain = m_content.chain;
  for (const auto& [name, snapshot] : m_spec.snapshots) {
    const auto address = "snapshots." + name;
    const auto index = index_of_point(chain, snapshot.at);
    if (!index) {
      throw Error(
          ErrorCode::internal, "snapshot '{}' is at '{}', which the chain does not have", name, snapshot.at);
    }
    const auto& key = chain[*index].key;
    const auto taken = m_observed.snapshots.find(name);
    ActionKind kind = ActionKind::noop;
    Reason reason;
    if (taken == m_observed.snapshots.end()) {
      kind = ActionKind::take;
      reason = {ReasonCode::snapshot_added, "", "", "", place(address)};
    } else if (taken->second != key) {
      kind = ActionKind::retake;
      const bool waits = waits_for_use(name, *index);
      kind = waits ? ActionKind::note : ActionKind::retake;
      const auto code = waits ? ReasonCode::snapshot_waits : ReasonCode::snapshot_outdated;
      reason = {code, "at", "", snapshot.at, place(address + ".at")};
    } else if (m_observed.build_all) {
      kind = ActionKind::retake;
      reason = {ReasonCode::no_cache, "", "", "", {}};
    } else if (is_asked_for(address) || first_asked_for().value_or(*index + 1) <= *index) {
      kind = ActionKind::retake;
      reason = {ReasonCode::asked_for, "", "", "", {}};
    } else if (m_observed.applied_spec.is_object()) {
      const auto old = applied_snapshot(name);
      const auto memory = old.is_object() ? string_or(old, "memory", "auto") : "auto";
      if (memory != name_of(snapshot.memory)) {
        kind = ActionKind::retake;
        reason = {
            ReasonCode::field_changed, "memory", memory, std::string(name_of(snapshot.memory)),
            place(address + ".memory")};
      } else if (snapshot.at == "ready" && snapshot.memory != spec::MemoryMode::off && size_changed()) {
        kind = ActionKind::retake;
        reason = {ReasonCode::field_changed, "environment.resources", "", "", place("environment.resources")};
      }
    }
    Action& action = add_named(Subject::snapshot, name, kind, reason);
    action.target = snapshot.at;
    action.key = key;
    action.after = {chain[*index].address, "workspace"};
    if (chain[*index].point == "ready") {
      for (const auto& [service, unused] : m_spec.services) {
        action.after.push_back(address_of(Subject::service, service));
      }
    }
    if (is_change(kind) && !m_cached.contains(key)) {
      need(*index);
      action.apart = chain[*index].point == "ready" && !content_is_renewed();
    }
  }
  for (const auto& [name, key] : m_observed.snapshots) {
    if (!m_spec.snapshots.contains(name)) {
      const Reason removed{ReasonCode::snapshot_removed, "", "", "", {}};
      add_named(Subject::snapshot, name, ActionKind::forget, removed).key = key;
    }
  }
}

const Link* Planner::applied_link(const Link& link) const {
  for (const auto& applied : m_observed.applied_links) {
    if (applied.key == link.key) {
      return &applied; // whatever it was called
    }
  }
  for (const auto& applied : m_observed.applied_links) {
    if (applied.address == link.address) {
      return &applied;
    }
  }
  return nullptr;
}

/// Why the layer of a link is not what was applied.
Reason Planner::link_reason(std::size_t index) const {
  const auto& link = m_content.chain[index];
  const auto* applied = applied_link(link);
  if (!m_observed.exists || m_observed.applied_links.empty()) {
    return {ReasonCode::first_apply, "", "", "", {}};
  }
  if (!applied) {
    return {ReasonCode::step_added, "", "", "", place(link.address)};
  }
  if (is_asked_for(link.address)) {
    return {ReasonCode::asked_for, "", "", "", {}};
  }
  if (const auto difference = link_difference(*applied, link)) {
    return {
        ReasonCode::input_changed, difference->input, difference->before, difference->after,
        difference->place};
  }
  if (applied->key == link.key && first_asked_for().value_or(index) < index) {
    return {ReasonCode::parent_changed, m_content.chain[index - 1].address, "", "", {}};
  }
  if (applied->key == link.key) {
    const auto code = m_observed.build_all ? ReasonCode::no_cache : ReasonCode::layer_missing;
    return {code, "", "", "", {}};
  }
  if (index == 0) {
    return {ReasonCode::input_changed, "key version", "", std::to_string(k_key_version), {}};
  }
  return {ReasonCode::parent_changed, m_content.chain[index - 1].address, "", "", {}};
}

/// The kept seed is not in the store any more, and no other may stand for it. Said once, of the first layer.
void Planner::forbid_other_seed(const Link& link) {
  if (!m_plan.diagnostics.empty() && m_plan.diagnostics.back().address == "seed.on_change") {
    return;
  }
  spec::Diagnostic problem;
  problem.code = "seed";
  problem.address = "seed.on_change";
  problem.place = place(problem.address);
  problem.message = fmt::format(
      "{} cannot be made again: the files that the workspace was made of are not in the store any more, and "
      "on_change: keep takes no others",
      link.address);
  problem.hint = "`pyro apply --no-cache` makes all of it anew, of the files that are there now";
  m_plan.diagnostics.push_back(std::move(problem));
}

void Planner::plan_layers() {
  const auto& chain = m_content.chain;
  const auto content = *index_of_point(chain, "prepare");
  if (content_is_renewed() && content_index() == content) {
    need(content);
  }
  if (m_content.verdict == ContentVerdict::sync && !content_is_renewed()) {
    need(*index_of_point(chain, "seed"));
  }
  std::optional<std::size_t> deepest;
  for (std::size_t i = 0; m_needed && i <= *m_needed; ++i) {
    if (m_cached.contains(chain[i].key)) {
      deepest = i;
    }
  }
  for (std::size_t i = 0; i <= content; ++i) {
    const auto& link = chain[i];
    const auto* applied = applied_link(link);
    const bool same = applied && applied->key == link.key;
    const bool build = m_needed && i <= *m_needed && (!deepest || i > *deepest);
    const bool is_step = link.point.find('.') != std::string::npos;
    auto kind = ActionKind::noop;
    Reason reason;
    if (build) {
      if (keeps_seed() && !m_observed.build_all && i >= *index_of_point(chain, "seed")) {
        forbid_other_seed(link);
      }
      reason = link_reason(i);
      const bool changed = reason.code == ReasonCode::input_changed
                           || reason.code == ReasonCode::parent_changed
                           || reason.code == ReasonCode::asked_for;
      kind = changed ? ActionKind::rebuild : ActionKind::build;
    } else if (!same && m_observed.exists && !content_is_renewed() && !m_cached.contains(link.key)) {
      kind = ActionKind::note;
      reason = {ReasonCode::step_waits, "", "", "", place("seed.on_change")};
    } else if (!same || !m_observed.exists) {
      kind = ActionKind::cached;
      reason = link_reason(i);
      if (reason.code == ReasonCode::first_apply || reason.code == ReasonCode::layer_missing) {
        reason.code = ReasonCode::cached;
      }
    }
    auto& added = add(Subject::link, link.address, kind, std::move(reason));
    added.target = link.point;
    added.key = link.key;
    added.apart = build && is_step && !content_is_renewed();
    if (i > 0) {
      added.after = {chain[i - 1].address};
    }
  }
  if (keeps_seed() && !m_observed.build_all) {
    for (auto& action : m_actions) {
      if (action.address == "seed") {
        const auto& difference = m_content.difference;
        action.kind = action.kind == ActionKind::noop ? ActionKind::note : action.kind;
        action.reason = {
            ReasonCode::seed_kept, difference->input, difference->before, difference->after,
            place("seed.on_change")};
      }
    }
  }
}

} // namespace pyro::plan
