#include "declared_file.hpp"

#include "disk_use.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/safe_text.hpp>
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
#include <pyro/workspace/state/verification_records.hpp>

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

/// What a plan is made from, and the plan; nothing is locked or built.
struct Looked {
  LoadedProject project;
  std::optional<store::WorkspaceRecord> record;
  Planned planned;
};

Looked look(Context& context, const Project& project, bool color) {
  const auto started = os::now_monotonic();
  context.base.prepare();
  Looked looked{load_project(context, project)};
  if (const auto id = find_workspace(context, "", looked.project.identity)) {
    looked.record = load_and_recover(context, *id);
  }
  looked.planned = plan_without_building(
      context, looked.project, looked.record ? &*looked.record : nullptr, color, started);
  return looked;
}

Json describe_services(const std::vector<protocol::ServiceStatus>& services) {
  Json list = Json::array();
  for (const auto& service : services) {
    list.push_back(protocol::to_json(service));
  }
  return list;
}

Json inputs_of(const Json& links, const std::string& address) {
  for (const auto& link : links) {
    if (string_or(link, "address", "") == address) {
      return link.value("inputs", Json::array());
    }
  }
  return Json::array();
}

/// Inputs of a link that are not as they were when it was last applied; of a first time: none.
Json differing_inputs(const Json& now, const Json& before) {
  std::map<std::string, Json> old;
  for (const auto& input : before) {
    old[string_or(input, "name", "")] = input;
  }
  Json result = Json::array();
  if (old.empty()) {
    return result;
  }
  for (auto input : now) {
    const auto found = old.extract(string_or(input, "name", ""));
    if (found.empty() || string_or(found.mapped(), "digest", "") != string_or(input, "digest", "")) {
      input["before"] = found.empty() ? Json() : Json(string_or(found.mapped(), "display", ""));
      result.push_back(input);
    }
  }
  for (auto& [name, input] : old) {
    input["before"] = string_or(input, "display", "");
    input["display"] = "";
    result.push_back(input);
  }
  return result;
}

/// What `verify` found of the layer: {at, reproducible, differing}; null: it was not of this key.
Json verified_link(const Json& found, const std::string& address, const Json& key) {
  if (!found.is_object() || !key.is_string() || found.at("links").value(address, Json()) != key) {
    return nullptr;
  }
  Json differing = Json::array();
  for (const auto& entry : found.value("differing", Json::array())) {
    if (entry.is_object() && entry.value("step", Json()) == address) {
      differing.push_back(entry);
    }
  }
  return {{"at", found.value("at", Json())}, {"reproducible", differing.empty()}, {"differing", differing}};
}

std::string verified_link_text(const Json& verified) {
  constexpr std::size_t k_shown = 5;
  const auto& differing = verified.at("differing");
  if (differing.empty()) {
    return "\n  verify built it twice, and it was the same";
  }
  auto text = fmt::format("\n  verify built it twice, and {} files differed:", differing.size());
  for (std::size_t i = 0; i < std::min(k_shown, differing.size()); ++i) {
    text += fmt::format(
        "\n    {} ({})", escape_controls(string_or(differing[i], "path", "")),
        string_or(differing[i], "class", ""));
  }
  return text + (differing.size() > k_shown ? "\n    …" : "");
}

std::string differing_text(const Json& input) {
  const auto display = string_or(input, "display", "");
  const auto before = string_or(input, "before", "");
  const auto line = int_or(input, "line", 0);
  auto text = string_or(input, "name", "");
  const bool one_line = (display + before).find('\n') == std::string::npos;
  if (one_line && display != before && !(display + before).empty()) {
    text +=
        fmt::format("  {} -> {}", before.empty() ? "nothing" : before, display.empty() ? "nothing" : display);
  }
  return line > 0 ? fmt::format("{}  {}:{}", text, string_or(input, "file", ""), line) : text;
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

Json plan_project(Context& context, const Project& project, bool color) {
  auto [loaded, record, planned] = look(context, project, color);
  planned.document["host_requests"] = to_json(loaded.requests);
  planned.document["plan_id"] = plan::plan_id_of(planned.document);
  return {{"plan", planned.document}, {"text", planned.text}, {"changes", !planned.plan.empty()}};
}

Json apply_declared_file(Context& context, const Project& project, const ApplyOptions& options, bool color) {
  const auto started = os::now_monotonic();
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

Json explain_action(Context& context, const Project& project, const std::string& address) {
  const auto [loaded, record, planned] = look(context, project, false);
  const auto* action = planned.plan.find(address);
  if (!action) {
    std::vector<std::string> known;
    for (const auto& other : planned.plan.actions) {
      known.push_back(other.address);
    }
    throw Error(ErrorCode::usage, "there is no '{}' in {}", address, loaded.shown)
        .with_hint(fmt::format("addresses: {}", fmt::join(known, ", ")));
  }
  const auto reason = plan::reason_text(action->reason);
  Json inputs = Json::array();
  Json differing = Json::array();
  Json key;
  bool cached = false;
  for (const auto& link : planned.plan.chain) {
    if (link.address == address) {
      inputs = plan::to_json(link)["inputs"];
      key = link.key;
      cached = context.recipes.find(link.key, store::Touch::no).has_value();
      differing = differing_inputs(inputs, inputs_of(record ? record->links : Json::array(), address));
    }
  }
  auto text = fmt::format("{}: {}", address, plan::action_text(*action, plan::Tense::future));
  if (!reason.empty()) {
    text += fmt::format("\n  because {}", reason);
  }
  if (action->reason.place.line > 0) {
    text += fmt::format("\n  at {}", to_string(action->reason.place));
  }
  if (key.is_string()) {
    text += fmt::format(
        "\n  key {}: {}", key.get<std::string>().substr(0, 12), cached ? "in the cache" : "not in the cache");
  }
  const auto verified = verified_link(VerificationRecords(context.base).find(loaded.identity), address, key);
  if (verified.is_object()) {
    text += verified_link_text(verified);
  }
  for (const auto& input : differing) {
    text += fmt::format("\n  differs: {}", differing_text(input));
  }
  return {
      {"address", address},
      {"action", plan::name_of(action->kind)},
      {"reason",
       {{"code", plan::name_of(action->reason.code)},
        {"field", action->reason.field},
        {"before", action->reason.before},
        {"after", action->reason.after},
        {"file", action->reason.place.file},
        {"line", action->reason.place.line},
        {"column", action->reason.place.column}}},
      {"key", key},
      {"cached", cached},
      {"verified", verified},
      {"inputs", inputs},
      {"differing", differing},
      {"text", text + "\n"}};
}

Json file_schema() {
  return spec::json_schema();
}

} // namespace pyro::workspace
