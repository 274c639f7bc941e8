#include "declared_file.hpp"

#include "disk_use.hpp"
#include "look.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/plan/render.hpp>
#include <pyro/spec/normal_form.hpp>
#include <pyro/spec/schema.hpp>
#include <pyro/store/disk_reserve.hpp>
#include <pyro/workspace/apply/apply_project.hpp>
#include <pyro/workspace/apply/resolve_inputs.hpp>
#include <pyro/workspace/context/context.hpp>
#include <pyro/workspace/context/project.hpp>
#include <pyro/workspace/state/drift.hpp>
#include <pyro/workspace/state/find_and_lock.hpp>

namespace pyro::workspace {

namespace {

Json describe(const spec::Diagnostic& diagnostic) {
  Json value{
      {"severity", diagnostic.severity == spec::Severity::error ? "error" : "warning"},
      {"code", diagnostic.code},
      {"address", diagnostic.address},
      {"message", diagnostic.message},
      {"position",
       {{"file", diagnostic.place.file},
        {"line", diagnostic.place.line},
        {"column", diagnostic.place.column},
        {"end_line", diagnostic.end.line},
        {"end_column", diagnostic.end.column}}}};
  if (!diagnostic.hint.empty()) {
    value["hint"] = diagnostic.hint;
  }
  return value;
}

Json describe_services(const std::vector<protocol::ServiceStatus>& services) {
  Json list = Json::array();
  for (const auto& service : services) {
    list.push_back(protocol::to_json(service));
  }
  return list;
}

} // namespace

Project file_of_workspace(const Context& context, const std::string& workspace, const Project& project) {
  if (workspace.empty()) {
    return project;
  }
  const auto id = find_workspace(context, workspace, "");
  if (!id) {
    if (!find_project_file(project).empty() && read_project_file(project).spec.name == workspace) {
      return project; // which is to be made
    }
    throw Error(ErrorCode::not_found, "workspace {} does not exist", workspace)
        .with_hint("`pyro ls` lists what there is");
  }
  const auto record = context.records.load(*id);
  if (record.project_file.empty()) {
    throw Error(
        ErrorCode::usage, "the workspace {} belongs to no pyro.yaml: no file speaks of it", record.name)
        .with_hint(fmt::format("`pyro adopt {}`, where a file is, makes it that file's", record.name));
  }
  auto own = project;
  own.file = record.project_file;
  own.identity = record.identity_key;
  if (!os::exists(own.file)) {
    throw Error(ErrorCode::input_missing, "the file of the workspace {} is gone: {}", record.name, own.file)
        .with_hint(fmt::format("`pyro adopt {}`, where it is now, takes the workspace along", record.name));
  }
  return own;
}

Json validate_project(const Project& project) {
  std::string shown;
  const auto result = parse_project(project, shown);
  Json diagnostics = Json::array();
  for (const auto& diagnostic : result.diagnostics) {
    diagnostics.push_back(describe(diagnostic));
  }
  return {
      {"valid", result.ok()},
      {"diagnostics", diagnostics},
      {"name", result.ok() ? Json(result.spec->name) : Json()},
      {"file", shown}};
}

Json normalize_project(const Context& context, const Project& project) {
  const auto file = read_project_file(project);
  // What nothing was withheld from needs no agreement: sources of secrets are shown, not read.
  auto document =
      spec::normal_form(file.spec.complete ? file.spec : load_project(context, project, file).spec);
  document["drift"]["built_in_ignore"] = built_in_ignores();
  return document;
}

Json hash_project(Context& context, const Project& project) {
  context.base.prepare();
  const auto chain = portable_chain(context, load_project(context, project));
  Json hashes = Json::object();
  std::string before_seed;
  bool is_before = true;
  for (const auto& link : chain) {
    hashes[link.address] = link.key;
    is_before = is_before && link.point != "seed";
    before_seed = is_before ? link.key : before_seed;
  }
  return {{"setup", before_seed}, {"hashes", hashes}};
}

Json plan_project(Context& context, const Project& project, const PlanChoice& choice, bool color) {
  auto [loaded, record, planned] = look_at_plan(context, project, choice, color);
  planned.document["host_requests"] = to_json(loaded.requests);
  planned.document["plan_id"] = plan::plan_id_of(planned.document);
  return {{"plan", planned.document}, {"text", planned.text}, {"changes", !planned.plan.empty()}};
}

namespace {

/// What --dry-run says: a result of apply in which nothing was changed.
Json not_applied(const Looked& looked, std::chrono::milliseconds started) {
  return {
      {"workspace_id", looked.record ? Json(looked.record->id) : Json("")},
      {"name", looked.project.spec.name},
      {"changed", false},
      {"dry_run", true},
      {"would_change", !looked.planned.plan.empty()},
      {"plan", looked.planned.document},
      {"text", looked.planned.text},
      {"duration_ms", (os::now_monotonic() - started).count()}};
}

} // namespace

Json apply_declared_file(Context& context, const Project& project, const ApplyOptions& options, bool color) {
  const auto started = os::now_monotonic();
  if (options.dry_run) {
    return not_applied(look_at_plan(context, project, options.choice, color), started);
  }
  const store::LentReserve reserve(context.base);
  const auto loaded = load_project(context, project);
  const auto applied = apply_project(context, loaded, options, color);
  prune_when_due(context);
  return {
      {"workspace_id", applied.workspace_id},
      {"name", loaded.spec.name},
      {"changed", applied.changed},
      {"plan", applied.planned.document},
      {"text", applied.planned.text},
      {"services", describe_services(applied.services)},
      {"ports", applied.ports},
      {"notes", applied.notes},
      {"conflicts", applied.conflicts},
      {"duration_ms", (os::now_monotonic() - started).count()}};
}

Json file_schema() {
  return spec::json_schema();
}

} // namespace pyro::workspace
