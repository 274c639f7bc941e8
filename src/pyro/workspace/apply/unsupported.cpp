#include "unsupported.hpp"

#include <pyro/base/error.hpp>
#include <pyro/oci/document.hpp>
#include <pyro/workspace/context/live_mounts.hpp>

#include <algorithm>

namespace pyro::workspace {

namespace {

using spec::EgressKind;

[[noreturn]] void
refuse(const spec::Spec& spec, const std::string& address, const std::string& what, const std::string& hint) {
  throw Error(ErrorCode::unavailable, "{}", what).at(spec.place(address)).with_hint(hint);
}

void check_platform(const spec::Spec& spec) {
  const auto host = oci::to_string(oci::host_platform());
  if (!spec.environment.platform.empty() && spec.environment.platform != host) {
    refuse(
        spec, "environment.platform",
        fmt::format(
            "programs for {} do not run on this machine, which is {}", spec.environment.platform, host),
        "leave `platform` out, or run it on such a machine");
  }
}

void check_own_root(const spec::Spec& spec, const backend::Backend& backend) {
  if (backend.capabilities().own_root) {
    return;
  }
  if (spec.seed.to != "/workspace") {
    refuse(spec, "seed.to", "without isolation the seed can only be at /workspace", "leave `to` out");
  }
  for (const auto& [steps, address] :
       {std::pair(&spec.environment.setup, "environment.setup."), std::pair(&spec.prepare, "prepare.")}) {
    if (!steps->empty()) {
      refuse(
          spec, address + steps->front().id,
          fmt::format("backend '{}' has no root of its own to run this step in", backend.name()),
          "leave the steps out, or write `isolation: sandbox`");
    }
  }
}

void check_oneshots(const spec::Spec& spec, const backend::Backend& backend) {
  for (const auto& [name, service] : spec.services) {
    if (service.oneshot_per == spec::OneshotPer::content && !backend.capabilities().own_root) {
      refuse(
          spec, fmt::format("services.{}.oneshot", name),
          "without isolation the content cannot say that a oneshot is done", "write `oneshot: true`");
    }
  }
}

void check_sync(const spec::Spec& spec, const backend::Backend& backend) {
  if (spec.seed.on_change == spec::OnChange::sync
      && (!backend.capabilities().own_root || spec.seed.to == "/")) {
    refuse(
        spec, "seed.on_change",
        spec.seed.to == "/" ? "a seed that is the whole root cannot be synced"
                            : "without isolation a seed cannot be synced",
        "write `reset` (fresh files, asks before edits are lost) or `keep`");
  }
}

void check_egress(
    const spec::Spec& spec, const spec::Egress& egress, const std::string& address,
    const backend::Backend& backend) {
  if (egress.kind == EgressKind::hosts && !backend.capabilities().egress_filter) {
    refuse(
        spec, address, fmt::format("backend '{}' cannot limit egress to a list of hosts", backend.name()),
        "write `none` or `all`, or another `backend`: namespaces and qemu can");
  }
  if (egress.kind == EgressKind::all && !backend.capabilities().egress) {
    refuse(
        spec, address, "network access from a sandbox needs the program 'pasta', which is not installed",
        "apt install passt, or write `egress: none`");
  }
}

/// A machine's memory is saved with its devices, to start others from it, and what shows a directory of the
/// host (virtiofs) can be neither saved nor given to memory that is private.
void check_mounts(const Context& context, const LoadedProject& project, const backend::Backend& backend) {
  const auto& spec = project.spec;
  if (!spec.mounts.empty() && !backend.capabilities().live_mounts) {
    refuse(
        spec, "mounts",
        fmt::format(
            "backend '{}' cannot show live directories of this machine: {}", backend.name(),
            backend.capabilities().virtual_machine
                ? "its machines are started from saved memory, which virtiofs does not go with"
                : "it has no file system of its own to show them in"),
        "write `backend: namespaces`, or copy the files in with `seed`");
  }
  std::ignore = resolve_mounts(context, project);
}

bool knows_secrets(const spec::Spec& spec) {
  return std::any_of(spec.services.begin(), spec.services.end(), [](const auto& entry) {
    return !entry.second.secrets.empty();
  });
}

void check_memory(const spec::Spec& spec, const backend::Backend& backend) {
  for (const auto& [name, snapshot] : spec.snapshots) {
    if (snapshot.memory != spec::MemoryMode::on) {
      continue;
    }
    const auto address = "snapshots." + name + ".memory";
    if (!backend.capabilities().memory_snapshot) {
      refuse(
          spec, address, fmt::format("backend '{}' cannot keep memory in snapshots", backend.name()),
          "write `memory: auto`: services start again after a reset");
    }
    if (snapshot.at == "ready" && knows_secrets(spec)) {
      refuse(
          spec, address,
          "the services know secrets, which must not come to lie in a file: their memory cannot be kept",
          "write `memory: auto`: services start again after a reset");
    }
    if (spec::has_request_secrets(spec)) {
      refuse(
          spec, address,
          "the processes trust the authority of their sandbox's gateway (secrets with `for`), which ends "
          "with it: "
          "their memory cannot be kept",
          "write `memory: auto`: services start again after a reset");
    }
  }
}

} // namespace

void refuse_unsupported(
    const Context& context, const LoadedProject& project, const backend::Backend& backend,
    const PlanChoice& choice) {
  const auto& spec = project.spec;
  check_platform(spec);
  check_mounts(context, project, backend);
  check_own_root(spec, backend);
  check_oneshots(spec, backend);
  check_sync(spec, backend);
  check_egress(spec, spec.network_egress, "network.egress", backend);
  for (const auto& step : spec.environment.setup) {
    if (step.egress.kind == EgressKind::hosts) {
      check_egress(spec, step.egress, "environment.setup." + step.id + ".egress", backend);
    }
  }
  if (choice.memory) {
    check_memory(spec, backend);
  }
}

void refuse_unbuildable(
    Context& context, const LoadedProject& project, const plan::Plan& plan, const backend::Backend& backend) {
  const auto& spec = project.spec;
  const auto is_built = [&](const std::string& address) {
    const auto* action = plan.find(address);
    return action != nullptr && plan::is_change(action->kind);
  };
  if (is_built("environment")) {
    try {
      context.environments.require_programs(image_of(project), project.directory, project.registries);
    } catch (Error& error) {
      throw error.at(spec.place("environment.image"));
    }
  }
  for (const auto& step : spec.environment.setup) {
    const auto address = "environment.setup." + step.id;
    if (is_built(address)) {
      check_egress(spec, step.egress, address + ".egress", backend);
    }
  }
}

} // namespace pyro::workspace
