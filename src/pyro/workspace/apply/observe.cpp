#include "observe.hpp"

#include "changed_files.hpp"
#include "host_ports.hpp"
#include "leftovers.hpp"

#include <pyro/base/error.hpp>
#include <pyro/workspace/sandbox/guest_services.hpp>
#include <pyro/workspace/state/drift.hpp>
#include <pyro/workspace/state/unfinished.hpp>

namespace pyro::workspace {

namespace {

bool layers_are_there(const Context& context, const std::vector<HexDigest>& layers) {
  return std::all_of(layers.begin(), layers.end(), [&](const auto& digest) {
    return context.layers.find(digest).has_value();
  });
}

void observe_cache(
    Context& context, const std::vector<plan::Link>& chain, plan::Observed& observed, UseCache use_cache) {
  for (const auto& link : chain) {
    const auto recipe = context.recipes.find(link.key, store::Touch::no);
    if (!recipe) {
      continue;
    }
    observed.step_cost_ms.emplace(link.address, recipe->duration_ms);
    if (use_cache == UseCache::yes && layers_are_there(context, recipe->layers)) {
      observed.cached_keys.insert(link.key);
    }
  }
}

void observe_ports(
    const Context& context, const spec::Spec& spec, const std::optional<Json>& published,
    plan::Observed& observed) {
  if (published) {
    observed.published_ports.emplace();
    for (const auto& item : *published) {
      spec::Port port;
      port.address = get_string(item, "address");
      port.port = static_cast<int>(get_int(item, "port"));
      if (get_bool(item, "fixed")) {
        port.host_port = static_cast<int>(get_int(item, "host_port"));
      }
      observed.published_ports->insert(plan::publication_of(get_string(item, "service"), port));
    }
  }
  for (const auto& blocked : blocked_ports(context, spec, published)) {
    observed.blocked_ports[plan::publication_of(blocked.service, blocked.port)] = blocked.why;
  }
}

void observe_secrets(const spec::Spec& spec, ProjectSecrets& secrets, plan::Observed& observed) {
  auto names = secrets_at_run_time(spec);
  for (const auto* steps : {&spec.environment.setup, &spec.prepare}) {
    for (const auto& step : *steps) {
      names.insert(step.secrets.begin(), step.secrets.end());
    }
  }
  for (const auto& name : names) {
    if (const auto problem = secrets.problem(name)) {
      observed.missing_secrets[name] = problem->message();
    }
    if (secrets.is_changed(name)) {
      observed.changed_secrets.insert(name);
    }
  }
}

void observe_services(
    const Context& context, const spec::Spec& spec, const store::WorkspacePaths& paths,
    plan::Observed& observed) {
  auto client = backend::ControlClient::connect(paths.control_socket());
  observe_ports(context, spec, client ? published_ports(*client) : std::nullopt, observed);
  if (!client) {
    return;
  }
  for (const auto& status : services_status(*client)) {
    if (status.by_hand) {
      continue; // no file speaks of it
    }
    observed.service_states[status.name] = status.state == protocol::ServiceState::waiting
                                               ? "starting"
                                               : std::string(protocol::name_of(status.state));
    observed.service_digests[status.name] = status.definition_digest;
  }
}

/// Who gives it another name gets another workspace, and should know of the first.
std::vector<std::string> earlier_names(const Context& context, const LoadedProject& project) {
  std::vector<std::string> names;
  if (project.file.empty()) {
    return names; // made by hand
  }
  for (const auto& record : context.records.mentioning(project.file)) {
    const bool is_of_file = record.project_file == project.file
                            && record.identity_key == identity_of(record.name, record.checkout)
                            && record.identity_key != project.identity;
    if (is_of_file && !is_vm(record) && !is_destroyed(record) && !is_abandoned(record)) {
      names.push_back(record.name);
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

spec::Isolation isolation_of(const backend::Backend& backend) {
  switch (backend.isolation()) {
  case backend::Isolation::host:
    return spec::Isolation::host;
  case backend::Isolation::sandbox:
    return spec::Isolation::sandbox;
  case backend::Isolation::vm:
    break;
  }
  return spec::Isolation::vm;
}

/// What is made again by itself counts where nothing could bring it back.
DriftRequest drift_request(const spec::Spec& spec, const ResolvedInputs& resolved) {
  DriftRequest request{spec.drift.report, spec.drift.ignore};
  if (spec.reset.undo.count() > 0) {
    const auto leftovers =
        std::make_shared<const Leftovers>(spec, resolved.scan ? resolved.scan->source() : std::string());
    request.leaves_out = [leftovers](const std::string& path, bool is_directory) {
      return leftovers->has(path, is_directory);
    };
  }
  if (resolved.scan) {
    request.in_git = git_knowledge(resolved.scan->source(), spec.seed.to);
  }
  return request;
}

} // namespace

std::set<std::string> capability_names(const backend::Capabilities& capabilities) {
  std::set<std::string> names;
  if (capabilities.live_resize) {
    names.insert("live_resize");
  }
  if (capabilities.egress_filter) {
    names.insert("egress_filter");
  }
  if (capabilities.memory_snapshot) {
    names.insert("memory_snapshot");
  }
  return names;
}

plan::Observed observe(
    Context& context, const LoadedProject& project, const ResolvedInputs& resolved, ProjectSecrets& secrets,
    const store::WorkspaceRecord* record, const ObserveRequest& request) {
  plan::Observed observed;
  const auto use_cache = request.use_cache;
  observed.is_drift_known = request.drift;
  observe_cache(context, resolved.chain, observed, use_cache);
  observe_secrets(project.spec, secrets, observed);
  observed.build_all = use_cache == UseCache::no;
  if (!record || is_destroyed(*record) || record->generation == 0) {
    observe_ports(context, project.spec, std::nullopt, observed);
    observed.earlier_names = earlier_names(context, project);
    return observed;
  }
  const store::WorkspacePaths paths(context.base, record->id);
  observed.exists = true;
  observed.workspace_id = record->id;
  observed.generation = static_cast<std::uint64_t>(record->spec_generation);
  const bool started = record->state == store::WorkspaceState::started;
  observed.state = started ? plan::WorkspaceState::started : plan::WorkspaceState::stopped;
  observed.backend = record->backend;
  const auto& backend = context.backend_named(record->backend);
  observed.isolation = isolation_of(backend);
  observed.capabilities = capability_names(backend.capabilities());
  observed.applied_spec = record->spec;
  observed.applied_links = plan::chain_from_json(record->links);
  observe_cache(context, observed.applied_links, observed, use_cache); // of which a seed may be kept
  observed.base_key = record->base.key;
  observed.file_changes = changed_files(paths.root(), observed.applied_links, resolved);
  observed.action_cost_ms = record->action_cost_ms;
  if (record->read_with) {
    observed.applied_profile = record->read_with->profile;
    observed.applied_vars = record->read_with->vars;
  }
  if (started) {
    observe_services(context, project.spec, paths, observed);
  } else {
    observe_ports(context, project.spec, std::nullopt, observed);
  }
  const auto base = base_stack_of(*record);
  if (!request.drift) {
    // Nobody wants to know.
  } else if (layers_are_there(context, record->layers) && layers_are_there(context, base.layers)) {
    observed.drift = find_drift(context, paths, *record, base, drift_request(project.spec, resolved));
  } else {
    context.emit("note", "workspace", "what has changed inside cannot be told: a layer below it is gone");
  }
  for (const auto& snapshot : context.records.snapshots(record->id)) {
    if (snapshot.kind == store::SnapshotKind::managed) {
      observed.snapshots[snapshot.name] = snapshot.key;
    }
  }
  return observed;
}

} // namespace pyro::workspace
