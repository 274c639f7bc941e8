// The work of make_plan, in steps that share what was found out so far. Internal to plan/.
#pragma once

#include "content.hpp"
#include "field_changes.hpp"
#include "plan.hpp"

#include <pyro/spec/normal_form.hpp>

#include <set>

namespace pyro::plan {

class Planner {
public:
  Planner(const spec::Spec& spec, const std::vector<Link>& chain, const Observed& observed);

  Plan run();

private:
  // planner.cpp: the workspace as a whole
  void decide_fields();
  void decide_workspace();
  void note_mounts();
  void raise(ActionKind kind, Reason reason);
  void finish();

  // plan_layers.cpp: the chain and the snapshots
  void plan_snapshots();
  Json applied_snapshot(const std::string& name) const;
  bool waits_for_use(const std::string& name, std::size_t index) const;
  void plan_layers();
  void need(std::size_t index);
  Reason link_reason(std::size_t index) const;
  const Link* applied_link(const Link& link) const;
  std::size_t content_index() const;
  std::string content_target(std::size_t index) const;
  bool size_changed() const;
  bool keeps_seed() const;
  void forbid_other_seed(const Link& link);

  // plan_secrets.cpp
  void update_request_secrets();
  void plan_secrets();

  // causes.cpp
  void explain();
  void name_files(Reason& reason, const std::string& address) const;
  void name_inputs(Action& action) const;
  std::string cause_of(const Action& action) const;
  std::optional<Origin> origin_of(const Position& place) const;
  std::int64_t cost_of(const Action& action) const;

  // plan_services.cpp
  std::vector<Difference> service_differences(const std::string& name) const;
  void plan_services();
  void plan_stops();
  void plan_ports();
  std::optional<Reason> secret_change(const std::string& name) const;
  Action service_action(const std::string& name) const;
  std::optional<Reason> definition_change(const std::string& name) const;
  bool was_applied(const std::string& name) const;
  void restart_dependents(std::map<std::string, Action>& services) const;

  Action& add(Subject subject, std::string address, ActionKind kind, Reason reason);
  /// Of a service or snapshot: its address is made of its name.
  Action& add_named(Subject subject, const std::string& name, ActionKind kind, Reason reason);
  bool starts_everything() const;

  bool is_asked_for(const std::string& address) const { return m_observed.asked_for.contains(address); }

  /// The first link that is to be made anew though nothing changed.
  std::optional<std::size_t> first_asked_for() const;
  bool content_is_renewed() const;

  Position place(std::string_view address) const { return m_spec.place(address); }

  const spec::Spec& m_spec;
  const Observed& m_observed;
  Content m_content;
  std::set<HexDigest> m_cached; // layers in the store that may be used
  std::vector<FieldChange> m_fields;
  std::set<std::string> m_with_workspace; // fields that a cold start brings with it
  ActionKind m_workspace = ActionKind::noop;
  Reason m_workspace_reason;
  std::optional<std::size_t> m_needed; // deepest link that must exist as a layer
  std::vector<Action> m_actions;
  Plan m_plan;
};

} // namespace pyro::plan
