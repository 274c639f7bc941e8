#include "snapshot_transfer.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/crash_point.hpp>
#include <pyro/workspace/apply/outdated_snapshot.hpp>
#include <pyro/workspace/context/context.hpp>
#include <pyro/workspace/state/locate.hpp>
#include <pyro/workspace/state/reset.hpp>
#include <pyro/workspace/state/snapshot_image.hpp>
#include <pyro/workspace/state/snapshots.hpp>

#include <filesystem>

namespace pyro::workspace {

namespace {

Json document(const std::string& id, const std::string& name, const oci::OciExportReport& report) {
  Json layers = Json::array();
  for (const auto& layer : report.layers) {
    layers.push_back("sha256:" + layer.digest);
  }
  return {
      {"workspace_id", id},
      {"snapshot_name", name},
      {"manifest", "sha256:" + report.manifest},
      {"layers", layers},
      {"packed_bytes", report.packed_bytes}};
}

/// Made again first where it is out of date.
store::SnapshotRecord snapshot_for(
    Context& context, const std::string& workspace, const Project& project, const std::string& id,
    const std::string& name) {
  auto snapshot = context.records.snapshot(id, name);
  if (!is_outdated(context.records.load(id), snapshot)) {
    return snapshot;
  }
  const auto located = locate(context, workspace, project, HostUse::taken);
  auto locked = lock_workspace(context, id, "snapshot export");
  if (!located.project) {
    return up_to_date(context, locked, snapshot, nullptr, nullptr);
  }
  auto secrets = secrets_of(context, *located.project, id);
  return up_to_date(context, locked, snapshot, &*located.project, &secrets);
}

std::string checked_name(const std::string& given, const std::string& tag) {
  const auto& name = given.empty() ? tag : given;
  store::check_new_snapshot_name(name);
  return name;
}

} // namespace

Json export_snapshot(
    Context& context, const std::string& workspace, const Project& project, const std::string& name,
    const std::string& output_path, const ImagePacking& packing) {
  context.base.prepare();
  const auto located = locate(context, workspace, project);
  const auto store_lock = context.use_store("snapshot export");
  const auto snapshot = snapshot_for(context, workspace, project, located.id, name);
  const auto image = image_of(context.records.load(located.id), snapshot, packing);
  auto result = document(located.id, name, export_image(context, image, output_path));
  result["output_path"] = std::filesystem::absolute(output_path).lexically_normal().string();
  return result;
}

Json push_snapshot(
    Context& context, const std::string& workspace, const Project& project, const std::string& name,
    const std::string& reference, const ImagePacking& packing) {
  context.base.prepare();
  const auto target = registry_reference(reference);
  const auto located = locate(context, workspace, project);
  const auto store_lock = context.use_store("snapshot push");
  const auto snapshot = snapshot_for(context, workspace, project, located.id, name);
  const auto image = image_of(context.records.load(located.id), snapshot, packing);
  auto result = document(located.id, name, push_image(context, image, target));
  result["reference"] = target.canonical();
  return result;
}

Json import_snapshot(
    Context& context, const std::string& workspace, const Project& project, const std::string& source,
    const std::string& name) {
  context.base.prepare();
  if (!name.empty()) {
    std::ignore = checked_name(name, "");
  }
  const auto located = locate(context, workspace, project);
  const auto store_lock = context.use_store("snapshot import");
  const auto imported = import_image(context, source);
  os::crash_point("snapshot.imported");
  auto locked = lock_workspace(context, located.id, "snapshot import");
  require_baseline(context, located.id);
  if (!context.backend_named(locked.record.backend).capabilities().own_root) {
    throw Error(
        ErrorCode::bad_state, "a workspace of the backend {} has no root of its own to be made from an image",
        locked.record.backend);
  }
  const auto wanted = checked_name(name, imported.tag);
  if (context.records.has_snapshot(located.id, wanted)) {
    throw Error(ErrorCode::already_exists, "the snapshot {} exists already", wanted)
        .with_hint("give it another name with --name");
  }
  const auto snapshot =
      record_snapshot(context, locked, wanted, store::SnapshotKind::named, imported.stack, "");
  return {{"workspace_id", located.id}, {"snapshot", describe(locked.record, snapshot)}};
}

} // namespace pyro::workspace
