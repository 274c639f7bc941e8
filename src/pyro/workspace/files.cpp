#include "files.hpp"

#include <pyro/base/base64.hpp>
#include <pyro/base/error.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/id_space.hpp>
#include <pyro/store/export_tree.hpp>
#include <pyro/workspace/context/context.hpp>
#include <pyro/workspace/context/inside_path.hpp>
#include <pyro/workspace/sandbox/guest_change.hpp>
#include <pyro/workspace/state/drift.hpp>
#include <pyro/workspace/state/locate.hpp>
#include <pyro/workspace/use/logged_exec.hpp>
#include <pyro/workspace/use/patch_files.hpp>
#include <pyro/workspace/use/push_tree.hpp>
#include <pyro/workspace/use/workspace_files.hpp>

#include <filesystem>

namespace pyro::workspace {

namespace {

constexpr std::size_t k_max_patch = 64 << 20;

/// Reads content of a workspace, running or not, in the ids of the inside.
Json read_content(
    Context& context, const std::string& workspace, const std::string& operation,
    const std::function<Json(const store::LayeredView&)>& read) {
  context.base.prepare();
  const auto located = locate(context, workspace, {});
  const store::WorkspacePaths paths(context.base, located.id);
  return read_consistently(context, located.id, operation, [&](const store::WorkspaceRecord& record) {
    const auto stack = current_stack(context, paths, record);
    auto document = os::IdSpace::current().run([&] { return read(store::LayeredView(stack)); });
    document["workspace_id"] = record.id;
    document["execution_mode"] = record.execution_mode;
    return document;
  });
}

/// A started workspace under its lock: no snapshot, reset or other change of files meanwhile.
LockedWorkspace changeable(Context& context, const std::string& workspace, const std::string& operation) {
  context.base.prepare();
  const auto located = locate(context, workspace, {});
  auto locked = lock_workspace(context, located.id, operation);
  require_started(locked.record, operation);
  return locked;
}

void note_activity(Context& context, LockedWorkspace& workspace) {
  workspace.record.last_activity_at = os::now_epoch();
  context.records.save(workspace.record);
}

Json with_id(Json document, const store::WorkspaceRecord& record) {
  document["workspace_id"] = record.id;
  document["execution_mode"] = record.execution_mode;
  return document;
}

std::string shown_inside(const std::string& path) {
  return path.empty() ? "/workspace" : "/workspace/" + path;
}

/// Where a push to this path goes.
std::string directory_for(const store::LayeredView& view, const std::string& destination) {
  auto real = real_path_inside(view, destination, LastLink::follow);
  const auto found = find_inside(view, real);
  if (found && !found->is_directory()) {
    throw Error(
        ErrorCode::invalid_argument, "workspace destination is no directory: {}", shown_inside(destination));
  }
  return real;
}

} // namespace

Json push_into_workspace(
    Context& context, const std::string& workspace, const std::string& source_path, const std::string& dest) {
  const auto destination = path_inside(dest.empty() ? "/workspace" : dest, "workspace destination");
  const auto source = push_source_of(source_path);
  auto locked = changeable(context, workspace, "workspace_sync_push");
  auto client = connect_sandbox(locked.paths.runtime(), "workspace_sync_push");
  const auto view = store::LayeredView(current_stack(context, locked.paths, locked.record));
  const auto real =
      base64_decode(os::IdSpace::current()
                        .run([&]() -> Json { return base64_encode(directory_for(view, destination)); })
                        .get<std::string>());
  GuestChange change(*client, locked.record.user);
  const auto pushed = push_tree(context, source, real, change);
  const auto result = change.commit();
  note_activity(context, locked);
  return with_id(
      {{"state", store::name_of(locked.record.state)},
       {"workspace_sync",
        {{"mode", source.is_archive ? "tar_archive" : "directory"},
         {"source_path", source.path},
         {"destination", shown_inside(destination)},
         {"entry_count", pushed.entries},
         {"bytes_written", result.bytes},
         {"left_out", pushed.left_out},
         {"added", result.added},
         {"replaced", result.replaced},
         {"unchanged", result.unchanged}}}},
      locked.record);
}

Json export_from_workspace(
    Context& context, const std::string& workspace, const std::string& path, const std::string& output_path) {
  const auto inside = path_inside(path, "workspace path");
  namespace fs = std::filesystem;
  auto output = fs::absolute(output_path).lexically_normal();
  if (!output.has_filename()) {
    output = output.parent_path(); // "out/"
  }
  context.base.prepare();
  const auto located = locate(context, workspace, {});
  const store::WorkspacePaths paths(context.base, located.id);
  store::remove_abandoned_exports(context.base.exports());
  std::optional<store::FileIdentity> stale; // ours, from an attempt that a reset has overtaken
  auto exported = read_consistently(context, located.id, "export", [&](const store::WorkspaceRecord& record) {
    const auto stack = current_stack(context, paths, record);
    auto document = os::IdSpace::current().run([&]() -> Json {
      if (stale) {
        store::remove_placed(output.string(), *stale);
      }
      const store::LayeredView view(stack);
      const auto real = real_path_inside(view, inside, LastLink::keep);
      const auto what = store::export_tree(
          view, real.empty() ? "workspace" : "workspace/" + real, output.string(), context.base.exports());
      return {{"device", what.placed.device},        {"inode", what.placed.inode},
              {"artifact_type", what.artifact_type}, {"entry_count", what.entries},
              {"bytes_written", what.bytes},         {"left_out", what.left_out}};
    });
    stale =
        store::FileIdentity{document["device"].get<std::uint64_t>(), document["inode"].get<std::uint64_t>()};
    document.erase("device");
    document.erase("inode");
    return with_id(std::move(document), record);
  });
  exported["workspace_path"] = shown_inside(inside);
  exported["output_path"] = output.string();
  return exported;
}

Json list_workspace_files(
    Context& context, const std::string& workspace, const std::string& path, bool recursive) {
  const auto inside = path_inside(path.empty() ? "/workspace" : path, "workspace path");
  return read_content(context, workspace, "file list", [&](const store::LayeredView& view) {
    return list_files(view, inside, recursive);
  });
}

Json read_workspace_file(
    Context& context, const std::string& workspace, const std::string& path, std::int64_t max_chars) {
  const auto inside = path_inside(path, "workspace path");
  if (max_chars < 1 || max_chars > k_max_file_chars) {
    throw Error(ErrorCode::invalid_argument, "max_chars must be between 1 and {}", k_max_file_chars);
  }
  constexpr std::size_t k_longest_character = 4;
  auto document = read_content(context, workspace, "file read", [&](const store::LayeredView& view) {
    return read_file_bytes(view, inside, static_cast<std::size_t>(max_chars) * k_longest_character);
  });
  const auto bytes = base64_decode(get_string(document, "content"));
  document.erase("bytes_read");
  document.update(
      text_or_base64(bytes, static_cast<std::uint64_t>(get_int(document, "size_bytes")), max_chars));
  document["max_chars"] = max_chars;
  return document;
}

Json write_workspace_file(
    Context& context, const std::string& workspace, const std::string& path, const std::string& content) {
  const auto inside = path_inside(path, "workspace path");
  if (content.size() > static_cast<std::size_t>(k_max_file_chars)) {
    throw Error(ErrorCode::invalid_argument, "more than {} bytes cannot be written at once", k_max_file_chars)
        .with_hint("workspace_sync_push brings larger files");
  }
  auto locked = changeable(context, workspace, "workspace_file_write");
  const auto stack = current_stack(context, locked.paths, locked.record);
  auto document = os::IdSpace::current().run([&]() -> Json {
    const store::LayeredView view(stack);
    protocol::FileRecord record;
    record.path = real_path_inside(view, inside, LastLink::follow);
    const auto found = find_inside(view, record.path);
    if (record.path.empty() || (found && !found->is_file())) {
      throw Error(ErrorCode::invalid_argument, "{} is no regular file", shown_inside(inside));
    }
    if (found) {
      record.mode = found->status.st_mode & 0777;
      record.uid = found->status.st_uid;
      record.gid = found->status.st_gid;
    }
    auto client = connect_sandbox(locked.paths.runtime(), "workspace_file_write");
    GuestChange change(*client, locked.record.user);
    change.send_file(record, content);
    change.commit();
    return {
        {"path", shown_inside(record.path)},
        {"size_bytes", content.size()},
        {"bytes_written", content.size()},
        {"created", !found}};
  });
  note_activity(context, locked);
  return with_id(std::move(document), locked.record);
}

Json patch_workspace(Context& context, const std::string& workspace, const std::string& patch) {
  if (patch.size() > k_max_patch) {
    throw Error(ErrorCode::invalid_argument, "the patch is larger than 64 MiB");
  }
  const auto patches = store::parse_patch(patch);
  auto locked = changeable(context, workspace, "workspace_patch_apply");
  const auto stack = current_stack(context, locked.paths, locked.record);
  auto document = os::IdSpace::current().run([&]() -> Json {
    const auto files = work_out_patch(store::LayeredView(stack), patches);
    if (!files.empty()) {
      auto client = connect_sandbox(locked.paths.runtime(), "workspace_patch_apply");
      GuestChange change(*client, locked.record.user);
      send_patch(files, change);
      change.commit();
    }
    return describe_patch(files);
  });
  note_activity(context, locked);
  return with_id(std::move(document), locked.record);
}

} // namespace pyro::workspace
