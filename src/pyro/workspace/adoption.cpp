#include "adoption.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/random.hpp>
#include <pyro/store/disk_reserve.hpp>
#include <pyro/workspace/apply/apply_project.hpp>
#include <pyro/workspace/context/context.hpp>
#include <pyro/workspace/state/locate.hpp>

namespace pyro::workspace {

namespace {

/// The file that a workspace belongs to, where it still finds it.
std::string file_of(const store::WorkspaceRecord& record) {
  const auto file = record.project_file;
  if (file.empty()) {
    return "";
  }
  try {
    Project own;
    own.file = file;
    return read_project_file(own).identity() == record.identity_key ? file : "";
  } catch (const Error&) {
    return ""; // gone or broken: it lets nobody down
  }
}

} // namespace

Json adopt_workspace(Context& context, const std::string& workspace, const Project& project) {
  context.base.prepare();
  const auto file = read_project_file(project);
  // Only a name that is made of the host's variables needs more than the file itself.
  const auto name = file.identity() ? file.spec.name : load_project(context, project, file).spec.name;
  const auto identity = identity_of(name, file.directory);
  const auto identity_lock = lock_identity(context, identity, "adopt");
  if (const auto present = find_workspace(context, "", identity)) {
    throw Error(ErrorCode::already_exists, "{} has a workspace already: {}", file.shown, *present)
        .with_hint("`pyro forget` lets go of it, `pyro destroy` removes it");
  }
  auto locked = lock_workspace(context, locate(context, workspace, {}).id, "adopt");
  auto& record = locked.record;
  if (const auto owner = file_of(record); !owner.empty()) {
    throw Error(ErrorCode::bad_state, "the workspace {} belongs to {}", record.name, owner)
        .with_hint("`pyro forget` there lets go of it");
  }
  const auto previous = record.name;
  record.name = name;
  if (record.spec.is_object()) {
    record.spec["name"] = record.name;
  }
  record.checkout = file.directory;
  record.identity_key = identity;
  record.project_file = file.file;
  record.services_file.clear();
  context.records.save(record);
  return {
      {"workspace_id", record.id},
      {"name", record.name},
      {"previous_name", previous},
      {"checkout", record.checkout},
      {"file", file.file}};
}

Json forget_workspace(Context& context, const std::string& workspace, const Project& project) {
  const store::LentReserve reserve(context.base);
  auto locked = lock_workspace(context, locate(context, workspace, project).id, "forget");
  auto& record = locked.record;
  const auto file = record.project_file;
  if (!file.empty()) {
    record.checkout.clear();
    record.identity_key = "by-hand-" + os::random_hex(8);
    record.project_file.clear();
    context.records.save(record);
  }
  return {
      {"workspace_id", record.id},
      {"name", record.name},
      {"file", file.empty() ? Json() : Json(file)},
      {"changed", !file.empty()}};
}

} // namespace pyro::workspace
