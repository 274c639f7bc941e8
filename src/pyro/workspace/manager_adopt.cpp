// Between made by hand and declared: a workspace taken over into a pyro.yaml, and let go of.
#include "apply_project.hpp"
#include "locate.hpp"
#include "manager.hpp"
#include "manager_state.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/random.hpp>

namespace pyro::workspace {

namespace {

/// The file that a workspace belongs to, where it still finds it.
std::string file_of(const store::WorkspaceRecord& record) {
  const auto file = string_or(record.metadata, "project_file", "");
  if (file.empty()) {
    return "";
  }
  try {
    Project own;
    own.file = file;
    return load_project(own).identity == record.identity_key ? file : "";
  } catch (const Error&) {
    return ""; // gone or broken: it lets nobody down
  }
}

} // namespace

Json Manager::adopt(const std::string& workspace, const Project& project) {
  auto& context = m_state->context;
  context.base.prepare();
  const auto loaded = load_project(project);
  const auto identity_lock = lock_identity(context, loaded.identity, "adopt");
  if (const auto present = find_workspace(context, "", loaded.identity)) {
    throw Error(ErrorCode::already_exists, "{} has a workspace already: {}", loaded.shown, *present)
        .with_hint("`pyro forget` lets go of it, `pyro destroy` removes it");
  }
  auto locked = lock_workspace(context, locate(context, workspace, {}).id, "adopt");
  auto& record = locked.record;
  if (const auto file = file_of(record); !file.empty()) {
    throw Error(ErrorCode::bad_state, "the workspace {} belongs to {}", record.name, file)
        .with_hint("`pyro forget` there lets go of it");
  }
  const auto previous = record.name;
  record.name = loaded.spec.name;
  if (record.spec.is_object()) {
    record.spec["name"] = record.name;
  }
  record.checkout = loaded.directory;
  record.identity_key = loaded.identity;
  record.metadata["project_file"] = loaded.file;
  record.metadata.erase("services_file");
  context.records.save(record);
  return {
      {"workspace_id", record.id},
      {"name", record.name},
      {"previous_name", previous},
      {"checkout", record.checkout},
      {"file", loaded.file}};
}

Json Manager::forget(const std::string& workspace, const Project& project) {
  auto& context = m_state->context;
  context.base.prepare();
  auto locked = lock_workspace(context, locate(context, workspace, project).id, "forget");
  auto& record = locked.record;
  const auto file = string_or(record.metadata, "project_file", "");
  if (!file.empty()) {
    record.checkout.clear();
    record.identity_key = "by-hand-" + os::random_hex(8);
    record.metadata["project_file"] = "";
    context.records.save(record);
  }
  return {
      {"workspace_id", record.id},
      {"name", record.name},
      {"file", file.empty() ? Json() : Json(file)},
      {"changed", !file.empty()}};
}

} // namespace pyro::workspace
