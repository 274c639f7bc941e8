#include "applier.hpp"

#include "applied_source.hpp"
#include "build_once.hpp"
#include "ready_point.hpp"
#include "ready_ports.hpp"
#include "required_users.hpp"
#include "seed_memory.hpp"
#include "seed_sync.hpp"
#include "synced_base.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/os/crash_point.hpp>
#include <pyro/plan/render.hpp>
#include <pyro/spec/applied_spec.hpp>
#include <pyro/spec/normal_form.hpp>
#include <pyro/workspace/context/live_mounts.hpp>
#include <pyro/workspace/context/network_policy.hpp>
#include <pyro/workspace/context/request_secrets.hpp>
#include <pyro/workspace/context/secrets.hpp>
#include <pyro/workspace/sandbox/launch_limits.hpp>
#include <pyro/workspace/sandbox/refused_meanwhile.hpp>
#include <pyro/workspace/sandbox/service_failure.hpp>
#include <pyro/workspace/state/generations.hpp>
#include <pyro/workspace/state/kept_memory.hpp>
#include <pyro/workspace/state/lifecycle.hpp>
#include <pyro/workspace/state/replaced_baseline.hpp>
#include <pyro/workspace/state/reset.hpp>
#include <pyro/workspace/state/snapshots.hpp>
#include <pyro/workspace/state/unfinished.hpp>

#include <algorithm>
#include <set>

namespace pyro::workspace {

namespace {

/// Their definitions are as they were, so the agent would leave them alone.
std::set<std::string> services_to_restart(const plan::Plan& plan) {
  std::set<std::string> names;
  for (const auto& action : plan.actions) {
    const bool is_secret = action.reason.code == plan::ReasonCode::secret_changed;
    const bool is_asked_for = action.reason.code == plan::ReasonCode::asked_for;
    if (action.kind == plan::ActionKind::restart && (is_secret || is_asked_for)) {
      names.insert(action.name);
    }
  }
  return names;
}

/// Services that have a process once more, or should.
void start_again(backend::ControlClient& client, const std::set<std::string>& restart, const Json& applied) {
  std::vector<std::string> dead;
  const auto leaving =
      get_strings(applied, "stopped"); // no longer in the file: forgotten once they have ended
  auto living = restart;
  for (const auto& name : get_strings(applied, "restarted")) {
    living.erase(name);
  }
  for (const auto& status : services_status(client)) {
    using State = protocol::ServiceState;
    const bool ended =
        status.state == State::exited || status.state == State::failed || status.state == State::stopped;
    const bool is_leaving = std::find(leaving.begin(), leaving.end(), status.name) != leaving.end();
    if (ended && !status.by_hand && !is_leaving) {
      dead.push_back(status.name);
      living.erase(status.name);
    }
  }
  if (!dead.empty()) {
    client.call("/agent/services/start", protocol::to_json(protocol::ServicesSelect{dead, false}));
  }
  if (!living.empty()) {
    const protocol::ServicesSelect select{{living.begin(), living.end()}, false};
    client.call("/agent/services/restart", protocol::to_json(select));
  }
}

} // namespace

std::vector<protocol::ServiceStatus> start_services(
    Context& context, const LoadedProject& project, const ResolvedInputs& resolved, ProjectSecrets& secrets,
    const std::string& runtime_dir, const ServiceDefaults& defaults, bool wait,
    const std::function<void(const std::string& service)>& on_ready, const std::set<std::string>& restart,
    int parallel) {
  if (spec::has_request_secrets(project.spec)) {
    put_request_secrets(
        *connect_sandbox(runtime_dir, "secrets"), project, secrets, request_secrets(project.spec));
  }
  if (project.spec.services.empty()) {
    return {};
  }
  auto client = connect_sandbox(runtime_dir, "services");
  const RefusedMeanwhile refused(*client, egress_kind(project.spec.network_egress.hosts));
  const auto redactor = deliver_secrets(*client, secrets, secret_files(project.spec, defaults.user));
  auto definitions = service_definitions(project.spec, resolved.env_files, resolved.chain, defaults);
  definitions.parallel = parallel;
  start_again(*client, restart, client->call("/agent/services/apply", protocol::to_json(definitions)));
  if (!wait) {
    auto services = services_status(*client);
    for (auto& status : services) {
      status = redacted(std::move(status), redactor);
    }
    return services;
  }
  std::vector<std::string> names;
  for (const auto& [name, service] : project.spec.services) {
    names.push_back(name);
  }
  try {
    return wait_for_services(context, *client, project.spec, names, redactor, on_ready);
  } catch (ServicesNotReady& error) {
    refused.explain(error, redactor);
    throw;
  }
}

Json publish_workspace_ports(LockedWorkspace& workspace, const spec::Spec& spec) {
  const bool any = std::any_of(spec.services.begin(), spec.services.end(), [](const auto& entry) {
    return !entry.second.ports.empty();
  });
  auto& remembered = workspace.record.ports;
  if (!any && remembered.empty()) {
    return Json::array();
  }
  auto client = connect_sandbox(workspace.paths.runtime(), "ports");
  return publish_ports(*client, spec, remembered, [](const std::string&) { return true; });
}

Applier::Applier(
    Context& context, const LoadedProject& project, ResolvedInputs& resolved, ProjectSecrets& secrets,
    const Planned& planned, LockedWorkspace& workspace, const backend::Backend& backend, HowToApply how)
    : m_context(context), m_project(project), m_resolved(resolved), m_secrets(secrets), m_plan(planned.plan),
      m_left_out(planned.left_out), m_workspace(workspace), m_backend(backend), m_how(how),
      m_makes_anew(how.use_cache == UseCache::no || !planned.observed.asked_for.empty()),
      m_builder(context, project, resolved, secrets, backend, workspace.record.id, workspace.paths.root()) {
}

void Applier::run() {
  try {
    carry_out();
    m_timings.keep(m_workspace.paths, "");
  } catch (const Error& error) {
    m_timings.keep(m_workspace.paths, error.message());
    const bool has_no_code_of_its_own = exit_status_of(error.code()) == exit_status_of(ErrorCode::failed);
    if (m_done.empty() || m_project.file.empty() || !has_no_code_of_its_own || !m_resolved.changed.empty()) {
      throw;
    }
    auto partial = error;
    partial.add_context(fmt::format("done before that: {}", fmt::join(m_done, ", ")));
    if (partial.hint().empty()) {
      partial.with_hint("`pyro apply` goes on from there");
    }
    throw partial.with_code(ErrorCode::partial);
  }
}

void Applier::carry_out() {
  for (const auto& action : m_plan.actions) {
    if (!plan::is_change(action.kind)) {
      continue;
    }
    m_context.check_interrupted();
    os::crash_point("apply.action");
    if (action.subject == plan::Subject::service) {
      begin_apart();
    } else if (action.apart) {
      join_apart();
    }
    if (m_layers_made_apart && action.apart && action.subject == plan::Subject::link) {
      continue;
    }
    begin(action);
    try {
      act(action);
    } catch (const Error& error) {
      if (m_resolved.changed.empty()) { // else it is not over yet
        tell_error(action, error);
      }
      throw;
    }
    complete(action);
  }
  if (!m_plan.empty()) {
    publish_workspace_ports(m_workspace, m_project.spec);
  }
  change_request_secrets();
  note_applied();
}

/// Services start together, each when what it depends on is ready: the first begins them all.
void Applier::begin(const plan::Action& action) {
  const bool with_others = action.subject == plan::Subject::service && !m_services_done;
  for (const auto& other : m_plan.actions) {
    const bool is_begun = with_others ? other.subject == plan::Subject::service && plan::is_change(other.kind)
                                      : &other == &action && action.subject != plan::Subject::service;
    if (is_begun && !m_begun.contains(other.address)) {
      note_begin(other);
    }
  }
}

void Applier::note_begin(const plan::Action& action) {
  m_begun[action.address] = os::now_monotonic();
  m_timings.begin(action.address, plan::name_of(action.kind), action.after);
  m_context.emit("action_start", action.address, plan::action_text(action, plan::Tense::present));
}

void Applier::complete(const plan::Action& action) {
  const auto begun = m_begun.extract(action.address);
  if (begun.empty()) {
    return; // a service that was ready before others
  }
  if (action.subject != plan::Subject::link) { // layers alone are no change of the workspace
    m_done.push_back(action.address);
  }
  m_timings.end(action.address);
  const auto took = (os::now_monotonic() - begun.mapped()).count();
  m_costs[plan::cost_name(action)] = took;
  m_context.emit(
      "action_complete", action.address, plan::action_text(action, plan::Tense::past),
      {{"duration_ms", took}, {"action", plan::name_of(action.kind)}});
}

/// Of services, under the address of the one whose fault it is.
void Applier::tell_error(const plan::Action& action, const Error& error) const {
  const auto* services = dynamic_cast<const ServicesNotReady*>(&error);
  const bool is_of_other = services != nullptr && !services->culprit().empty();
  m_context.emit(
      "action_error", is_of_other ? "services." + services->culprit() : action.address,
      services != nullptr ? error.message() : error.what(), pyro::to_json(error));
}

void Applier::complete_service(const std::string& name) {
  for (const auto& action : m_plan.actions) {
    if (action.subject == plan::Subject::service && action.address == "services." + name) {
      complete(action);
    }
  }
}

void Applier::act(const plan::Action& action) {
  switch (action.subject) {
  case plan::Subject::workspace:
    change_workspace(action);
    break;
  case plan::Subject::seed:
    sync(action);
    break;
  case plan::Subject::service:
    apply_services();
    break;
  case plan::Subject::snapshot:
    take_snapshot(action);
    break;
  case plan::Subject::link:
    if (action.kind == plan::ActionKind::build || action.kind == plan::ActionKind::rebuild) {
      build(action);
    }
    break;
  case plan::Subject::field:
    break; // note_applied() records it
  }
}

void Applier::build(const plan::Action& action) {
  for (std::size_t index = 0; index < m_resolved.chain.size(); ++index) {
    if (m_resolved.chain[index].address == action.address) {
      build_once(
          m_context, m_resolved.chain[index], m_makes_anew ? UseCache::no : UseCache::yes,
          longest_build(m_project.spec, action.address), [&] { m_builder.build(index); });
      return;
    }
  }
  throw Error(ErrorCode::internal, "{} is not in the chain", action.address);
}

store::LayerStack Applier::stack_for(const HexDigest& key) const {
  const auto recipe = m_context.recipes.find(key);
  if (!recipe) {
    throw Error(ErrorCode::internal, "no layers are stored under the key {}", key);
  }
  return {recipe->layers, recipe->host_directories};
}

void Applier::set_run_time_fields(store::WorkspaceRecord& record) const {
  const auto& spec = m_project.spec;
  record.name = spec.name;
  record.labels = spec.labels;
  record.backend = m_backend.name();
  record.execution_mode = m_backend.execution_mode();
  record.isolation = std::string(spec::name_of(spec.isolation));
  record.environment = spec.environment.image;
  const auto& resources = spec.environment.resources;
  record.limits = {
      resources.cpus, static_cast<int>(resources.memory >> 20), resources.pids,
      static_cast<std::int64_t>(resources.disk)};
  record.egress = spec::to_string(spec.network_egress);
  record.mounts = resolve_mounts(m_context, m_project);
  record.workdir = spec.environment.workdir;
  record.env = run_env();
}

/// The file's variables, and below them the image's.
std::map<std::string, std::string> Applier::run_env() const {
  const auto& environment = m_project.spec.environment;
  auto env = environment.env;
  if (m_backend.capabilities().own_root) {
    env.merge(
        m_context.environments.image_env(image_of(m_project), m_project.directory, m_project.registries));
  }
  return env;
}

/// What steps were given may lie in files that they made.
void Applier::hand_on_secrets() {
  for (const auto& [name, value] : m_secrets.values()) {
    m_workspace.secrets.push_back({name, value});
  }
}

void Applier::change_workspace(const plan::Action& action) {
  using Kind = plan::ActionKind;
  auto& record = m_workspace.record;
  const bool is_new = action.kind == Kind::create || action.kind == Kind::replace;
  note_lifecycle(
      record, lifecycle_of(m_project.spec), is_new || record.state != store::WorkspaceState::started);
  set_run_time_fields(record);
  record.user = m_builder.run_user();
  hand_on_secrets();
  if (action.kind == Kind::reboot || action.kind == Kind::start) {
    remember_secrets(m_context, m_workspace);
    stop_workspace(m_context, m_workspace, std::chrono::seconds(10));
    start_workspace(m_context, m_workspace);
    return;
  }
  const auto stack = stack_for(action.key);
  require_users(m_context, m_project.spec, m_backend, stack);
  const auto keep = record.generation > 0 ? KeepUndo::yes : KeepUndo::no;
  const bool is_reset = action.kind == Kind::reset;
  ReplacedBaseline baseline(m_context, m_workspace, stack, action.key);
  switch_generation(
      m_context, m_workspace, std::string(plan::name_of(action.kind)), stack, 0, keep,
      "apply: " + std::string(plan::name_of(action.kind)), [&](store::WorkspaceRecord& changed) {
        changed.base = {action.key, {}, {}, {}};
        if (is_reset) {
          note_reset(changed);
        }
      });
  baseline.keep();
  m_content_is_fresh = true;
}

void Applier::sync(const plan::Action& action) {
  const auto& spec = m_project.spec;
  auto& record = m_workspace.record;
  SyncedBase base(m_context, record);
  const SeedChange change{base.last_seed(), stack_for(action.key), relative_root(spec.seed.to)};
  const auto synced = sync_seed(m_context, m_workspace, change);
  os::crash_point("sync.done");
  m_conflicts = synced.conflicts;
  for (const auto& path : m_conflicts) {
    m_context.emit(
        "note", action.address, fmt::format("{} was changed inside too: left as it is there", path),
        {{"conflict", path}});
  }
  const auto content = m_context.recipes.find(plan::content_key(m_plan.chain));
  base.advance(change);
  base.note(m_plan.chain);
  const auto baseline =
      content ? store::LayerStack{content->layers, content->host_directories} : base.baseline(change);
  record_snapshot(
      m_context, m_workspace, "baseline", store::SnapshotKind::baseline, baseline, record.base.key);
  os::crash_point("sync.baseline");
  note_outdated_snapshots();
  m_context.records.save(record);
  os::crash_point("sync.recorded");
}

/// Of no effect before the record says what was synced.
void Applier::note_outdated_snapshots() {
  for (const auto& action : m_plan.actions) {
    if (action.reason.code == plan::ReasonCode::snapshot_waits) {
      auto snapshot = m_context.records.snapshot(m_workspace.record.id, action.name);
      snapshot.outdated_by = action.key;
      m_context.records.save_snapshot(m_workspace.record.id, snapshot);
    }
  }
}

void Applier::apply_services() {
  if (std::exchange(m_services_done, true)) {
    return; // the agent starts them all in the order of their dependencies
  }
  PortsOfReadyServices ports(m_context, m_workspace, m_project.spec);
  m_services = start_services(
      m_context, m_project, m_resolved, m_secrets, m_workspace.paths.runtime(),
      {m_builder.run_user(), run_env()}, m_how.wait,
      [&](const std::string& service) {
        ports.publish(service);
        complete_service(service);
      },
      services_to_restart(m_plan), m_how.parallel);
}

/// As the services run, or as they leave their files when they are stopped.
store::LayerStack Applier::capture_ready(const std::string& address) {
  const auto names = long_services(m_project.spec);
  if (!spec::stops_for_ready_point(m_project.spec.snapshots) || names.empty()) {
    return capture_running(m_context, m_workspace, address);
  }
  const auto client = connect_sandbox(m_workspace.paths.runtime(), "a snapshot");
  m_context.emit("note", address, "its services are stopped for it and started again");
  stop_services(*client, m_project.spec, names);
  auto stack = capture_running(m_context, m_workspace, address);
  client->call("/agent/services/start", protocol::to_json(protocol::ServicesSelect{names, false}));
  const auto again = wait_for_services(
      m_context, *client, m_project.spec, names, redactor_of(m_workspace.paths, m_workspace.record));
  for (const auto& status : again) {
    std::replace_if(
        m_services.begin(), m_services.end(), [&](const auto& old) { return old.name == status.name; },
        status);
  }
  return stack;
}

store::LayerStack Applier::stack_of_snapshot(const plan::Action& action) {
  const bool is_stale = m_makes_anew && action.target == "ready"; // under this key lies what ran before
  const auto cached = is_stale ? std::nullopt : m_context.recipes.find(action.key);
  if (cached) {
    return {cached->layers, cached->host_directories};
  }
  auto& record = m_workspace.record;
  const auto started = os::now_monotonic();
  // Only content that nobody has touched may stand for the recipe: else the point is made in a sandbox of its
  // own.
  auto stack = m_content_is_fresh
                   ? capture_ready(action.address)
                   : make_ready_point(
                       m_context,
                       {m_project, m_resolved, m_secrets, {m_builder.run_user(), run_env()}, m_how.parallel},
                       m_builder, stack_for(plan::content_key(m_plan.chain)));
  remember_ready_point(m_context, action.key, record.name, stack, os::now_monotonic() - started);
  if (m_content_is_fresh) {
    record.base = {action.key, record.base.snapshot, stack.layers, {}};
    m_context.records.save(record);
  }
  return stack;
}

void Applier::take_snapshot(const plan::Action& action) {
  const auto& name = action.name;
  auto& record = m_workspace.record;
  if (action.kind == plan::ActionKind::forget) {
    m_context.records.remove_snapshot(record.id, name);
    forget_memory(m_workspace.paths, name);
    return;
  }
  const auto stack = stack_of_snapshot(action);
  record_snapshot(m_context, m_workspace, name, store::SnapshotKind::managed, stack, action.key);
  if (m_content_is_fresh && m_how.wait && m_how.memory) {
    save_machine_memory(m_context, m_workspace, m_project.spec, name);
  } else if (m_how.memory && m_project.spec.snapshots.at(name).memory == spec::MemoryMode::on) {
    m_context.emit("note", action.address, "its memory is kept once a reset to it has started the services");
  }
}

/// For the reasons of the next plan: costs, variables, the files of the seed.
void Applier::note_what_it_was_made_of() {
  auto& record = m_workspace.record;
  m_costs.merge(record.action_cost_ms);
  std::erase_if(m_costs, [&](const auto& cost) {
    return m_plan.find(cost.first.substr(0, cost.first.find(' '))) == nullptr;
  });
  record.action_cost_ms = std::move(m_costs);
  record.read_with = {m_project.spec.profile, {}};
  for (const auto& [name, variable] : m_project.spec.vars) {
    record.read_with->vars[name] = variable.value.value_or("");
  }
  const auto& directory = m_workspace.paths.root();
  if (m_project.source.is_object()) {
    remember_applied_spec(directory, m_project.source, m_left_out);
  }
  if (m_resolved.scan && is_made_of(m_resolved.chain)
      && !recall_applied_seed(directory, m_resolved.digests.seed_tree)) {
    remember_applied_seed(directory, m_resolved.scan->manifest());
  }
}

/// Is what was applied made of the inputs that there are now?
bool Applier::is_made_of(const std::vector<plan::Link>& chain) const {
  return plan::content_key(chain) == plan::content_key(m_plan.chain);
}

void Applier::note_applied() {
  auto& record = m_workspace.record;
  const auto links = plan::to_json(m_plan.chain);
  const auto spec = spec::normal_form(m_project.spec);
  const bool is_same = record.spec == spec && record.links == links;
  if (m_plan.empty() && is_same) {
    return; // nothing changed: the record, and its generation, stay as they are
  }
  const auto disk_before = launch_limits(record).disk_bytes;
  const auto egress_before = record.egress;
  set_run_time_fields(record);
  const bool other_lifetime = note_lifecycle(record, lifecycle_of(m_project.spec), false);
  record.spec = spec;
  note_what_it_was_made_of();
  if (!m_content_is_fresh) {
    keep_last_seed(m_context, record, m_plan.chain);
  }
  record.links = links;
  const auto is_base = [&](const plan::Link& link) {
    return link.key == record.base.key;
  };
  if (std::none_of(m_plan.chain.begin(), m_plan.chain.end(), is_base)) {
    record.base.key =
        plan::content_key(m_plan.chain); // services changed; the content is still that of the recipe
  }
  ++record.spec_generation;
  record.project_file = m_project.file;
  if (is_made_of(m_resolved.chain)) { // not of another seed that is kept
    record.seed = seed_source(m_context, m_resolved);
    if (m_resolved.archive) {
      count_archive(record.seed);
    }
  }
  record.last_activity_at = os::now_epoch();
  const auto secrets = secrets_at_run_time(m_project.spec);
  record.secrets = {secrets.begin(), secrets.end()};
  forget_maker(record);
  m_context.records.save(record);
  if (other_lifetime) {
    tell_supervisor(m_workspace);
  }
  if (launch_limits(record).disk_bytes != disk_before && !m_content_is_fresh) {
    change_disk_limit();
  }
  if (record.egress != egress_before && !m_content_is_fresh
      && spec::egress_from_text(egress_before).kind == spec::EgressKind::hosts
      && m_project.spec.network_egress.kind == spec::EgressKind::hosts) {
    change_egress();
  }
}

/// The layer that was made of it tells.
void Applier::count_archive(store::SeedSource& seed) const {
  for (const auto& link : m_plan.chain) {
    if (link.address != "seed") {
      continue;
    }
    const auto layer = m_context.layers.find(stack_for(link.key).layers.back());
    if (layer) {
      const auto to = relative_root(m_project.spec.seed.to);
      const auto above = to.empty() ? 0 : 1 + std::count(to.begin(), to.end(), '/');
      seed.entry_count = static_cast<std::int64_t>(layer->entry_count) - above;
      seed.bytes = static_cast<std::int64_t>(layer->size_bytes);
    }
  }
}

/// Of a sandbox that goes on.
void Applier::change_disk_limit() {
  const auto client = backend::ControlClient::connect(m_workspace.paths.control_socket());
  if (!client) {
    return;
  }
  const auto limit = launch_limits(m_workspace.record).disk_bytes;
  if (!get_bool(client->call("/disk", {{"limit_bytes", limit}}), "held")) {
    m_context.emit("note", "workspace", "environment.resources.disk takes effect with the next reset");
  }
}

/// Of a sandbox that goes on, or has no services that were started with them.
void Applier::change_request_secrets() {
  const auto& spec = m_project.spec;
  if (m_plan.empty() || m_services_done || spec.network_egress.kind != spec::EgressKind::hosts) {
    return;
  }
  const auto before = spec::applied_spec(m_workspace.record.spec).secrets;
  const bool had_some = std::any_of(
      before.begin(), before.end(), [](const auto& entry) { return entry.second.is_for_requests(); });
  if (!had_some && !spec::has_request_secrets(spec)) {
    return;
  }
  if (const auto client = backend::ControlClient::connect(m_workspace.paths.control_socket())) {
    put_request_secrets(*client, m_project, m_secrets, request_secrets(spec));
  }
}

/// Of a sandbox that goes on.
void Applier::change_egress() {
  const auto client = backend::ControlClient::connect(m_workspace.paths.control_socket());
  if (client) {
    client->call("/egress", {{"rules", m_project.spec.network_egress.hosts}});
  }
}

} // namespace pyro::workspace
