#include "planning.hpp"

#include "applied_source.hpp"
#include "argument_limits.hpp"
#include "narrowed.hpp"
#include "required_users.hpp"
#include "unsupported.hpp"

#include <pyro/base/units.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/plan/policy.hpp>
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

const backend::Backend&
backend_for(const Context& context, const LoadedProject& project, const PlanChoice& choice) {
  try {
    const auto& backend = context.choose_backend(
        project.spec.backend, isolation_of(project.spec.isolation), project.host_compat);
    refuse_unsupported(context, project, backend, choice);
    if (is_first_start(context, project, backend)) {
      require_usable(context, backend);
    }
    return backend;
  } catch (Error& error) {
    const bool is_named = project.spec.backend != "auto";
    throw error.position() ? error : error.at(project.spec.place(is_named ? "backend" : "isolation"));
  }
}

namespace {

spec::Spec applied_spec_of(const Context& context, const store::WorkspaceRecord* record) {
  if (record == nullptr || record->generation == 0 || is_destroyed(*record)) {
    return {};
  }
  auto applied = recall_applied_spec(store::WorkspacePaths(context.base, record->id).root());
  if (!applied) {
    throw Error(ErrorCode::bad_state, "it is not known which file this workspace was applied with")
        .with_hint("one `pyro apply` of all of it notes that; --target and --exclude work from then on");
  }
  return std::move(*applied);
}

/// Leaves out what is not wanted. Returns those units.
std::set<std::string> narrow(
    const Context& context, const PlanChoice& choice, const store::WorkspaceRecord* record, bool exists,
    LoadedProject& project, ResolvedInputs& resolved) {
  if (choice.targets.empty() && choice.excludes.empty()) {
    return {};
  }
  const auto applied = applied_spec_of(context, exists ? record : nullptr);
  auto units = left_out_units(choice, project.spec, applied, exists);
  leave_out(
      units, applied, exists ? plan::chain_from_json(record->links) : std::vector<plan::Link>{}, project,
      resolved);
  return units;
}

plan::Policy read_policy_file(const std::string& path) {
  constexpr std::size_t k_most = 1 << 20;
  const auto text = os::maybe_read_file(path, k_most);
  if (!text) {
    throw Error(ErrorCode::input_missing, "there is no policy {}", path)
        .with_hint("--policy names a file of rules; docs/plans.md says how they are written");
  }
  return plan::read_policy(*text, path);
}

/// Layers of what is left in place are there; if not, they cannot be made of a file and a seed that are
/// others.
void refuse_old_builds(const plan::Plan& plan) {
  for (const auto& action : plan.actions) {
    if (action.subject == plan::Subject::link && plan::is_change(action.kind)) {
      throw Error(
          ErrorCode::bad_state, "{} is left out, and its layer is not in the store any more", action.address)
          .with_hint("apply all of it");
    }
  }
}

/// Of content that is started on anew, as far as can be told before anything is made: every step that could
/// add a user has its layer.
void refuse_unknown_users(
    const Context& context, const LoadedProject& project, const Planned& planned,
    const backend::Backend& backend) {
  const auto& chain = planned.plan.chain;
  const auto& observed = planned.observed;
  const auto* workspace = planned.plan.find("workspace");
  if (workspace == nullptr || workspace->key.empty()) {
    return; // it goes on
  }
  const plan::Link* last = nullptr;
  for (std::size_t index = 0; index <= plan::index_of_point(chain, "prepare").value_or(0); ++index) {
    const auto& link = chain[index];
    if (link.address == "seed") {
      continue;
    }
    if (!observed.cached_keys.contains(link.key)) {
      return;
    }
    last = &link;
  }
  const auto content = last != nullptr ? context.recipes.find(last->key, store::Touch::no) : std::nullopt;
  if (content) {
    require_users(context, project.spec, backend, {content->layers, content->host_directories});
  }
}

} // namespace

Planned make_planned(
    Context& context, LoadedProject& project, ResolvedInputs& resolved, ProjectSecrets& secrets,
    const store::WorkspaceRecord* record, const PlanRequest& request) {
  const auto& choice = request.choice;
  check_step_limits(project.spec);
  check_service_limits(project, resolved);
  Planned planned;
  planned.observed =
      observe(context, project, resolved, secrets, record, {request.use_cache, choice.refresh});
  planned.plan = plan::make_plan(project.spec, resolved.chain, planned.observed);
  require_addresses(choice, planned.plan, project);
  planned.observed.asked_for = {choice.replaces.begin(), choice.replaces.end()};
  planned.left_out = narrow(context, choice, record, planned.observed.exists, project, resolved);
  if (!planned.left_out.empty()) {
    const auto all = std::move(planned.plan);
    secrets = secrets_of(context, project, record != nullptr ? record->id : "");
    auto part = observe(context, project, resolved, secrets, record, {request.use_cache, choice.refresh});
    part.asked_for = std::move(planned.observed.asked_for);
    planned.observed = std::move(part);
    planned.plan = plan::make_plan(project.spec, resolved.chain, planned.observed);
    planned.plan.left_out = difference_of(all, planned.plan);
    if (planned.left_out.contains("workspace")) {
      refuse_old_builds(planned.plan);
    }
  } else if (!choice.replaces.empty()) {
    planned.plan = plan::make_plan(project.spec, resolved.chain, planned.observed);
  }
  refuse_unbuildable(context, project, planned.plan, request.backend);
  refuse_unknown_users(context, project, planned, request.backend);
  if (!choice.policy.empty()) {
    planned.plan.denials = plan::denials_of(read_policy_file(choice.policy), planned.plan);
  }
  const auto header =
      header_of(project, planned.observed, request.backend.name(), os::now_monotonic() - request.started);
  const bool all = context.settings.plan_text == PlanText::all;
  planned.text = plan::plan_text(
      planned.plan, header, request.color ? plan::Color::on : plan::Color::off,
      all ? plan::Detail::all : plan::Detail::changes);
  planned.document = plan::plan_json(planned.plan, header);
  return planned;
}

Planned plan_without_building(
    Context& context, const LoadedProject& project, const store::WorkspaceRecord* record,
    const PlanChoice& choice, bool color, std::chrono::milliseconds started) {
  const auto& backend = backend_for(context, project, choice);
  auto wanted = project;
  auto resolved = resolve_inputs(context, wanted, Build::no);
  auto secrets = secrets_of(context, wanted, record ? record->id : "");
  return make_planned(
      context, wanted, resolved, secrets, record, {backend, UseCache::yes, choice, color, started});
}

} // namespace pyro::workspace
