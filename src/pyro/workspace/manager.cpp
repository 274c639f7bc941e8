// The declared file: validate, config, plan, apply, why.
#include "manager.hpp"

#include "applier.hpp"
#include "manager_state.hpp"
#include "measure.hpp"
#include "observe.hpp"
#include "project.hpp"
#include "snapshots.hpp"
#include "workspace_handle.hpp"

#include <pyro/base/units.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/os/crash_point.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/random.hpp>
#include <pyro/plan/render.hpp>
#include <pyro/spec/normal_form.hpp>
#include <pyro/store/gc.hpp>

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
        {"column", diagnostic.place.column}}}};
  if (!diagnostic.hint.empty()) {
    value["hint"] = diagnostic.hint;
  }
  return value;
}

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

const backend::Backend& backend_for(const Context& context, const LoadedProject& project) {
  try {
    const auto& backend = context.choose_backend(project.spec.backend, isolation_of(project.spec.isolation));
    refuse_unsupported(project, backend);
    return backend;
  } catch (Error& error) {
    throw error.position() ? error : error.at(project.spec.place("isolation"));
  }
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
  header.undo = format_duration(project.spec.reset.undo);
  return header;
}

struct Planned {
  plan::Observed observed;
  plan::Plan plan;
  std::string text;
  Json document;
};

Planned make(
    Context& context, const LoadedProject& project, const Measured& measured,
    const store::WorkspaceRecord* record, const backend::Backend& backend, UseCache use_cache, bool color,
    std::chrono::milliseconds started) {
  Planned planned;
  planned.observed = observe(context, project, measured, record, use_cache);
  planned.plan = plan::make_plan(project.spec, measured.chain, planned.observed);
  const auto header = header_of(project, planned.observed, backend.name(), os::now_monotonic() - started);
  planned.text = plan::plan_text(planned.plan, header, color ? plan::Color::on : plan::Color::off);
  planned.document = plan::plan_json(planned.plan, header);
  return planned;
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
  Looked looked{load_project(project)};
  const auto& backend = backend_for(context, looked.project);
  const auto measured = measure(context, looked.project, Build::no);
  if (const auto id = find_workspace(context, "", identity_key_of(looked.project))) {
    looked.record = look_at_workspace(context, *id);
  }
  const auto* record = looked.record ? &*looked.record : nullptr;
  looked.planned = make(context, looked.project, measured, record, backend, UseCache::yes, color, started);
  return looked;
}

void refuse_forbidden(const plan::Plan& plan) {
  for (const auto& diagnostic : plan.diagnostics) {
    if (diagnostic.severity == spec::Severity::error) {
      throw Error(ErrorCode::failed, "{}", diagnostic.message)
          .at(diagnostic.place)
          .with_hint(diagnostic.hint);
    }
  }
}

std::string new_workspace(Context& context, const LoadedProject& project) {
  store::WorkspaceRecord record;
  record.id = os::random_hex(6);
  record.name = project.spec.name;
  record.checkout = project.directory;
  record.identity_key = identity_key_of(project);
  record.created_at = os::now_epoch();
  record.last_activity_at = record.created_at;
  record.metadata["project_file"] = project.file;
  const store::WorkspacePaths paths(context.base, record.id);
  paths.create();
  context.records.save(record);
  return record.id;
}

/// A workspace that never started because its making failed leaves nothing behind.
void remove_unfinished(Context& context, const std::string& id) {
  const store::WorkspacePaths paths(context.base, id);
  const auto record = context.records.find(id);
  if (record && record->generation == 0) {
    kill_sandbox(paths.runtime());
    remove_workspace(context, paths);
  }
}

os::ExclusiveLock
lock_identity(const Context& context, const std::string& identity, const std::string& operation) {
  const auto directory = context.base.root() + "/locks";
  os::make_directories(directory);
  return os::ExclusiveLock(
      directory + "/" + identity, operation, context.settings.lock_timeout, [&](const auto& holder) {
        context.emit(
            "waiting", "workspace",
            fmt::format("waiting for {}", holder ? to_string(*holder) : "another process"));
      });
}

void ask_if_needed(const Planned& planned, const ApplyOptions& options) {
  if (!planned.plan.needs_approval || options.approve_all) {
    return;
  }
  if (!options.ask) {
    throw Error(ErrorCode::approval_needed, "this would discard changes: nothing was done")
        .with_hint("look at the plan, then run it again with --yes; `pyro diff` shows the changes");
  }
  if (!options.ask(planned.text)) {
    throw Error(ErrorCode::approval_needed, "not approved: nothing was done");
  }
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

Manager::Manager(Settings settings, EventSink events)
    : m_state(std::make_unique<State>(std::move(settings), std::move(events))) {
}

Manager::~Manager() = default;

Json Manager::validate(const Project& project) {
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

Json Manager::config(const Project& project) {
  return spec::normal_form(load_project(project).spec);
}

Json Manager::plan(const Project& project, bool color) {
  const auto [loaded, record, planned] = look(m_state->context, project, color);
  return {{"plan", planned.document}, {"text", planned.text}, {"changes", !planned.plan.empty()}};
}

Json Manager::apply(const Project& project, const ApplyOptions& options, bool color) {
  auto& context = m_state->context;
  const auto started = os::now_monotonic();
  context.base.prepare();
  const auto loaded = load_project(project);
  const auto& backend = backend_for(context, loaded);
  const auto identity = identity_key_of(loaded);
  const auto identity_lock = lock_identity(context, identity, "apply");
  const auto store_lock = store::lock_store_shared(context.base, context.settings.lock_timeout);
  auto measured = measure(context, loaded, Build::yes);

  auto id = find_workspace(context, "", identity);
  const bool is_new = !id;
  std::optional<LockedWorkspace> workspace;
  if (id) {
    workspace.emplace(lock_workspace(context, *id, "apply"));
  }
  const auto use_cache = options.use_cache ? UseCache::yes : UseCache::no;
  const auto planned = make(
      context, loaded, measured, workspace ? &workspace->record : nullptr, backend, use_cache, color,
      started);
  refuse_forbidden(planned.plan);
  const bool changed = !planned.plan.empty();
  if (changed) {
    context.emit("plan", "", planned.text, planned.document);
  }
  ask_if_needed(planned, options);
  os::crash_point("apply.planned");
  if (!workspace) {
    id = new_workspace(context, loaded);
    workspace.emplace(lock_workspace(context, *id, "apply"));
  }
  Applier applier(context, loaded, measured, planned.plan, *workspace, backend);
  try {
    applier.run(options.wait);
  } catch (const Error&) {
    if (is_new) {
      remove_unfinished(context, *id);
    }
    throw;
  }
  return {
      {"workspace_id", *id},
      {"name", loaded.spec.name},
      {"changed", changed},
      {"plan", planned.document},
      {"text", planned.text},
      {"services", describe_services(applier.services())},
      {"notes", workspace->record.metadata.value("notes", Json::array())},
      {"duration_ms", (os::now_monotonic() - started).count()}};
}

Json Manager::why(const Project& project, const std::string& address) {
  auto& context = m_state->context;
  const auto [loaded, record, planned] = look(context, project, false);
  const auto* action = planned.plan.find(address);
  if (!action) {
    std::vector<std::string> known;
    for (const auto& other : planned.plan.actions) {
      known.push_back(other.address);
    }
    throw Error(ErrorCode::invalid_argument, "there is no '{}' in {}", address, loaded.shown)
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
      {"inputs", inputs},
      {"differing", differing},
      {"text", text + "\n"}};
}

} // namespace pyro::workspace
