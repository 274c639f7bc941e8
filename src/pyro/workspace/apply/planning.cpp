#include "planning.hpp"

#include "argument_limits.hpp"
#include "unsupported.hpp"

#include <pyro/base/units.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/plan/render.hpp>
#include <pyro/spec/normal_form.hpp>

namespace pyro::workspace {

namespace {

backend::Isolation isolation_of(spec::Isolation isolation) {
  switch (isolation) {
  case spec::Isolation::host:
    return backend::Isolation::host;
  case spec::Isolation::sandbox:
    return backend::Isolation::sandbox;
  case spec::Isolation::vm:
    break;
  }
  return backend::Isolation::vm;
}

plan::PlanHeader header_of(
    const LoadedProject& project, const plan::Observed& observed, const std::string& backend,
    std::chrono::milliseconds elapsed) {
  plan::PlanHeader header;
  header.name = project.spec.name;
  header.workspace_id = observed.workspace_id;
  if (observed.exists) {
    header.generation = observed.generation;
  }
  header.backend = backend;
  header.elapsed = elapsed;
  header.config_digest = spec::spec_digest(project.spec);
  header.lock_digest = project.image.digest;
  const auto undo = project.spec.reset.undo;
  header.undo = undo.count() > 0 ? format_duration(undo) : "";
  return header;
}

} // namespace

namespace {

/// Where a workspace runs already its backend works, and what is made by hand finds out at once. The programs
/// of virtual machines are looked up each time: much is fetched and built before the first of them starts.
bool is_first_start(const Context& context, const LoadedProject& project, const backend::Backend& backend) {
  return backend.capabilities().virtual_machine
         || (!project.file.empty() && !find_workspace(context, "", project.identity));
}

} // namespace

const backend::Backend& backend_for(const Context& context, const LoadedProject& project) {
  try {
    const auto& backend = context.choose_backend(
        project.spec.backend, isolation_of(project.spec.isolation), project.host_compat);
    refuse_unsupported(project, backend);
    if (is_first_start(context, project, backend)) {
      require_usable(context, backend);
    }
    return backend;
  } catch (Error& error) {
    const bool is_named = project.spec.backend != "auto";
    throw error.position() ? error : error.at(project.spec.place(is_named ? "backend" : "isolation"));
  }
}

Planned make_planned(
    Context& context, const LoadedProject& project, const ResolvedInputs& resolved, ProjectSecrets& secrets,
    const store::WorkspaceRecord* record, const backend::Backend& backend, UseCache use_cache, bool color,
    std::chrono::milliseconds started) {
  check_step_limits(project.spec);
  check_service_limits(project, resolved);
  Planned planned;
  planned.observed = observe(context, project, resolved, secrets, record, use_cache);
  planned.plan = plan::make_plan(project.spec, resolved.chain, planned.observed);
  refuse_unbuildable(context, project, planned.plan, backend);
  const auto header = header_of(project, planned.observed, backend.name(), os::now_monotonic() - started);
  const bool all = context.settings.plan_text == PlanText::all;
  planned.text = plan::plan_text(
      planned.plan, header, color ? plan::Color::on : plan::Color::off,
      all ? plan::Detail::all : plan::Detail::changes);
  planned.document = plan::plan_json(planned.plan, header);
  return planned;
}

Planned plan_without_building(
    Context& context, const LoadedProject& project, const store::WorkspaceRecord* record, bool color,
    std::chrono::milliseconds started) {
  const auto& backend = backend_for(context, project);
  const auto resolved = resolve_inputs(context, project, Build::no);
  auto secrets = secrets_of(context, project, record ? record->id : "");
  return make_planned(context, project, resolved, secrets, record, backend, UseCache::yes, color, started);
}

} // namespace pyro::workspace
