#include "made_by_hand.hpp"

#include "inspection.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/workspace/apply/apply_project.hpp>
#include <pyro/workspace/apply/by_hand.hpp>
#include <pyro/workspace/context/context.hpp>
#include <pyro/workspace/state/locate.hpp>

namespace pyro::workspace {

namespace {

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

Json create_workspace(Context& context, const CreateRequest& request) {
  context.base.prepare();
  const auto project = project_for(context, request);
  try {
    return get_workspace_status(context, apply_project(context, project, {}, false).workspace_id, {});
  } catch (const Error& error) {
    if (error.position() && error.position()->file == project.shown) {
      throw without_place(error);
    }
    throw;
  }
}

Json update_workspace(
    Context& context, const std::string& workspace, const std::optional<std::string>& name,
    const std::map<std::string, std::string>& labels, const std::vector<std::string>& clear_labels) {
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
  return get_workspace_status(context, record.id, {});
}

} // namespace pyro::workspace
