// Carries a plan out: layers, workspace, services, snapshots, in the plan's order and nothing else.
#pragma once

#include "layer_builder.hpp"
#include "observe.hpp"
#include "planning.hpp"
#include "resolve_inputs.hpp"

#include <pyro/os/side_work.hpp>
#include <pyro/plan/plan.hpp>
#include <pyro/protocol/service_requests.hpp>
#include <pyro/workspace/sandbox/guest_services.hpp>
#include <pyro/workspace/state/apply_timings.hpp>
#include <pyro/workspace/state/find_and_lock.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace pyro::workspace {

struct HowToApply {
  HowToApply(UseCache cache, const ApplyOptions& options)
      : use_cache(cache), wait(options.wait), memory(options.choice.memory), parallel(options.parallel) {}

  UseCache use_cache;
  bool wait;    // for services
  bool memory;  // keep that of snapshots
  int parallel; // services on their way up at once; 1: nothing beside anything else
};

class Applier {
public:
  Applier(
      Context& context, const LoadedProject& project, ResolvedInputs& resolved, ProjectSecrets& secrets,
      const Planned& planned, LockedWorkspace& workspace, const backend::Backend& backend, HowToApply how);

  ~Applier();
  Applier(const Applier&) = delete;
  Applier& operator=(const Applier&) = delete;

  /// Throws with what failed; the record then still says the truth.
  void run();

  const std::vector<protocol::ServiceStatus>& services() const { return m_services; }

  /// What seed.on_change: sync left alone because it was changed inside too: absolute paths.
  const std::vector<std::string>& conflicts() const { return m_conflicts; }

private:
  void carry_out();
  void act(const plan::Action& action);
  void build(const plan::Action& action);
  void change_workspace(const plan::Action& action);
  void hand_on_secrets();
  void sync(const plan::Action& action);
  void note_outdated_snapshots();
  void begin(const plan::Action& action);
  void note_begin(const plan::Action& action);
  void complete(const plan::Action& action);
  void tell_error(const plan::Action& action, const Error& error) const;
  void complete_service(const std::string& name);
  void apply_services();
  void take_snapshot(const plan::Action& action);
  store::LayerStack stack_of_snapshot(const plan::Action& action);

  // applier_apart.cpp: what is made in sandboxes of its own, beside the services of the workspace
  void begin_apart();
  void make_apart(const os::SideWork::Tell& tell);
  void hear_of_apart(const nlohmann::json& news);
  void join_apart();
  void end_apart();

  store::LayerStack capture_ready(const std::string& address);
  void note_applied();
  void note_what_it_was_made_of();
  bool is_made_of(const std::vector<plan::Link>& chain) const;
  void change_disk_limit();
  void change_egress();
  void change_request_secrets();
  void count_archive(store::SeedSource& seed) const;
  void set_run_time_fields(store::WorkspaceRecord& record) const;
  std::map<std::string, std::string> run_env() const;
  store::LayerStack stack_for(const HexDigest& key) const;

  Context& m_context;
  const LoadedProject& m_project;
  ResolvedInputs& m_resolved;
  ProjectSecrets& m_secrets;
  const plan::Plan& m_plan;
  const std::set<std::string>& m_left_out; // units
  LockedWorkspace& m_workspace;
  const backend::Backend& m_backend;
  HowToApply m_how;
  bool m_makes_anew; // layers that are there, under keys that they have
  LayerBuilder m_builder;
  std::vector<protocol::ServiceStatus> m_services;
  std::vector<std::string> m_conflicts;
  bool m_content_is_fresh = false; // made from the recipe by this very run
  bool m_services_done = false;
  std::map<std::string, std::chrono::milliseconds> m_begun; // address → monotonic
  ApplyTimings m_timings;
  std::map<std::string, std::int64_t> m_costs; // as in the record
  std::vector<std::string> m_done;             // addresses of what has changed the workspace so far
  bool m_layers_made_apart = false;            // those of the plan that are
  std::function<bool()> m_interrupted;         // the context's, while it is listened to what is made apart
  std::unique_ptr<os::SideWork> m_apart;
};

/// Publishes what the spec says and notes the host ports in the record (not saved).
Json publish_workspace_ports(LockedWorkspace& workspace, const spec::Spec& spec);

/// Starts the services of a record anew (after start, reset, undo) and delivers its secrets. `on_ready`: see
/// wait_for_services(). `restart`: those that run are restarted too.
std::vector<protocol::ServiceStatus> start_services(
    Context& context, const LoadedProject& project, const ResolvedInputs& resolved, ProjectSecrets& secrets,
    const std::string& runtime_dir, const ServiceDefaults& defaults, bool wait,
    const std::function<void(const std::string& service)>& on_ready = {},
    const std::set<std::string>& restart = {}, int parallel = 0);

} // namespace pyro::workspace
