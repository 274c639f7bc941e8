// Workspaces made by hand: create, remove, update, list, their command log.
#include "manager.hpp"
#include "manager_state.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/workspace/apply/apply_project.hpp>
#include <pyro/workspace/apply/by_hand.hpp>
#include <pyro/workspace/state/active.hpp>
#include <pyro/workspace/state/command_log.hpp>
#include <pyro/workspace/state/describe.hpp>
#include <pyro/workspace/state/half_made.hpp>
#include <pyro/workspace/state/locate.hpp>

namespace pyro::workspace {

namespace {

bool has_labels(const store::WorkspaceRecord& record, const std::map<std::string, std::string>& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const auto& label) {
    const auto found = record.labels.find(label.first);
    return found != record.labels.end() && found->second == label.second;
  });
}

/// Nobody has seen the file that this place is in.
Error without_place(const Error& error) {
  Error plain(error.code(), "{}", error.message());
  for (const auto& context : error.context()) {
    plain.add_context(context);
  }
  plain.with_hint(error.hint()).with_output(error.output());
  return plain;
}

} // namespace

Json Manager::create(const CreateRequest& request) {
  auto& context = m_state->context;
  context.base.prepare();
  const auto project = project_for(context, request);
  try {
    return status(apply_project(context, project, {}, false).workspace_id, {});
  } catch (const Error& error) {
    if (error.position() && error.position()->file == project.shown) {
      throw without_place(error);
    }
    throw;
  }
}

Json Manager::remove(const std::string& workspace) {
  ApplyOptions options;
  options.approve_all = true;
  return destroy(workspace, {}, options, true);
}

Json Manager::update(
    const std::string& workspace, const std::optional<std::string>& name,
    const std::map<std::string, std::string>& labels, const std::vector<std::string>& clear_labels) {
  auto& context = m_state->context;
  context.base.prepare();
  auto locked = lock_workspace(context, locate(context, workspace, {}).id, "update");
  auto& record = locked.record;
  if (const auto& file = record.project_file; !file.empty()) {
    throw Error(ErrorCode::bad_state, "the name and labels of {} are declared in {}", record.name, file)
        .with_hint("change them there, then `pyro apply`");
  }
  auto new_labels = record.labels;
  for (const auto& key : clear_labels) {
    new_labels.erase(key);
  }
  for (const auto& [key, value] : labels) {
    new_labels[key] = value;
  }
  record.spec = with_names(record.spec, name.value_or(record.name), new_labels);
  record.name = get_string(record.spec, "name");
  record.labels = string_map_or_empty(record.spec, "labels");
  record.last_activity_at = os::now_epoch();
  context.records.save(record);
  return status(record.id, {});
}

Json Manager::list_matching(
    const std::string& name, const std::map<std::string, std::string>& labels, const std::string& state) {
  auto& context = m_state->context;
  context.base.prepare();
  remove_half_made(context);
  remove_unrecorded(context);
  std::vector<Json> found;
  std::vector<std::string> damaged;
  for (const auto& listed : context.records.list(&damaged)) {
    const bool fits = (name.empty() || listed.name == name) && has_labels(listed, labels);
    if (is_destroyed(listed) || is_vm(listed) || is_abandoned(listed) || !fits) {
      continue;
    }
    const auto record = look_if_there(context, listed.id);
    if (!record) {
      continue;
    }
    auto document = describe(store::WorkspacePaths(context.base, listed.id), *record);
    if (state.empty() || document["state"] == state) {
      found.push_back(std::move(document));
    }
  }
  std::stable_sort(found.begin(), found.end(), [](const Json& one, const Json& other) {
    return get_double(one, "last_activity_at") > get_double(other, "last_activity_at");
  });
  return {{"count", found.size()}, {"workspaces", found}, {"damaged", damaged}};
}

Json Manager::command_log(const std::string& workspace, std::int64_t limit) {
  auto& context = m_state->context;
  context.base.prepare();
  const auto located = locate(context, workspace, {});
  const CommandLog log(
      store::WorkspacePaths(context.base, located.id), look_at_workspace(context, located.id));
  return {{"workspace_id", located.id}, {"count", log.count()}, {"entries", log.entries(limit)}};
}

} // namespace pyro::workspace
