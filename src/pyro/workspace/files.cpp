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

/// What its processes see, without what live directories show.
store::Stack visible_stack(
    const Context& context, const store::WorkspacePaths& paths, const store::WorkspaceRecord& record) {
  auto stack = current_stack(context, paths, record);
  for (const auto& mount : record.mounts) {
    stack.live.emplace(mount.target.substr(1), mount.path);
  }
  return stack;
}

/// Reads content of a workspace, running or not, in the ids of the inside.
Json read_content(
    Context& context, const std::string& workspace, const std::string& operation,
    const std::function<Json(const store::LayeredView&)>& read) {
  context.base.prepare();
  const auto located = locate(context, workspace, {});
  const store::WorkspacePaths paths(context.base, located.id);
  return read_consistently(context, located.id, operation, [&](const store::WorkspaceRecord& record) {
    const auto stack = visible_stack(context, paths, record);
    auto document = os::IdSpace::current().run([&] { return read(store::LayeredView(stack)); });
    document["workspace_id"] = record.id;
    document["execution_mode"] = record.execution_mode;
    return document;
  });
}

/// A started workspace under its lock: no snapshot, reset or other change of files meanwhile.
LockedWorkspace changeable(
    Context& context, const std::string& workspace, const std::string& operation,
    const Project& project = {}) {
  context.base.prepare();
  const auto located = locate(context, workspace, project);
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

/// Computed where files have the ids of the inside.
std::string found_inside(const std::function<std::string()>& look) {
  return base64_decode(
      os::IdSpace::current().run([&]() -> Json { return base64_encode(look()); }).get<std::string>());
}

/// Where something called `name` goes that is copied to `wanted`.
std::string target_of(
    const store::LayeredView& view, const std::string& wanted, bool is_directory, const std::string& name) {
  auto real = real_path_inside(view, wanted, LastLink::follow);
  const auto found = find_inside(view, real);
  if (!is_directory && !(found && found->is_directory())) {
    return real;
  }
  if (found && !found->is_directory()) {
    throw Error(ErrorCode::invalid_argument, "{} is no directory", shown_inside(wanted));
  }
  return real.empty() ? name : real + "/" + name;
}

std::string path_to_copy(const std::string& path) {
  try {
    return path_inside(path, "a path to copy");
  } catch (Error& error) {
    throw error.with_hint(
        "elsewhere: `pyro exec -- cat FILE > FILE` and `pyro exec -u root -- sh -c 'cat > FILE' < FILE`");
  }
}

} // namespace

Json copy_into_workspace(
    Context& context, const std::string& workspace, const Project& project, const std::string& source,
    const std::string& path) {
  namespace fs = std::filesystem;
  const auto wanted = path_to_copy(path);
  const bool is_below = path.ends_with('/');
  const bool is_content = fs::path(source).filename() == ".";
  std::error_code missing;
  const auto real_source = fs::canonical(source, missing);
  if (missing) {
    throw Error(ErrorCode::input_missing, "there is no '{}' to copy", source);
  }
  auto name = fs::absolute(source).lexically_normal();
  name = name.has_filename() ? name : name.parent_path();
  auto locked = changeable(context, workspace, "cp", project);
  const auto view = store::LayeredView(visible_stack(context, locked.paths, locked.record));
  const bool is_directory = fs::is_directory(real_source);
  const auto target = found_inside([&] {
    return is_directory && is_content ? directory_for(view, wanted)
                                      : target_of(view, wanted, is_below, name.filename().string());
  });
  auto client = connect_sandbox(locked.paths.runtime(), "cp");
  GuestChange change(*client, locked.record.user, locked.record.mounts);
  std::uint64_t entries = 1;
  if (is_directory) {
    entries = push_tree(context, {real_source.string(), false}, target, change).entries;
  } else {
    push_file(real_source.string(), target, change);
  }
  const auto result = change.commit();
  note_activity(context, locked);
  return with_id(
      {{"path", shown_inside(target)},
       {"source_path", real_source.string()},
       {"artifact_type", is_directory ? "directory" : "file"},
       {"entry_count", entries},
       {"bytes_written", result.bytes}},
      locked.record);
}

Json copy_out_of_workspace(
    Context& context, const std::string& workspace, const Project& project, const std::string& path,
    const std::string& destination) {
  namespace fs = std::filesystem;
  const auto wanted = path_to_copy(path);
  const auto name = wanted.empty() ? fs::path("workspace") : fs::path(wanted).filename();
  auto output = fs::path(destination);
  if (os::is_directory(destination)) {
    output /= name;
  } else if (destination.ends_with('/')) {
    throw Error(ErrorCode::input_missing, "there is no directory '{}'", destination);
  }
  context.base.prepare();
  const auto located = locate(context, workspace, project);
  return export_from_workspace(context, located.id, path, output.string());
}

Json copy_between_workspaces(
    Context& context, const std::string& from, const std::string& path, const std::string& to,
    const std::string& to_path, const Project& project) {
  namespace fs = std::filesystem;
  const auto wanted = path_to_copy(path);
  const auto name = wanted.empty() ? std::string("workspace") : fs::path(wanted).filename().string();
  const bool is_content = fs::path(path).filename() == ".";
  context.base.prepare();
  const auto source = locate(context, from, project);
  const auto store_lock = context.use_store("cp"); // for the room below
  const auto room = context.layers.stage();
  const auto between = room.directory() + "/" + name;
  const auto exported = export_from_workspace(context, source.id, path, between);
  auto document = copy_into_workspace(context, to, project, is_content ? between + "/." : between, to_path);
  document["source_path"] = exported["workspace_path"];
  document["from_workspace_id"] = source.id;
  document["left_out"] = exported["left_out"];
  return document;
}

Json push_into_workspace(
    Context& context, const std::string& workspace, const std::string& source_path, const std::string& dest) {
  const auto destination = path_inside(dest.empty() ? "/workspace" : dest, "workspace destination");
  const auto source = push_source_of(source_path);
  auto locked = changeable(context, workspace, "workspace_sync_push");
  auto client = connect_sandbox(locked.paths.runtime(), "workspace_sync_push");
  const auto view = store::LayeredView(visible_stack(context, locked.paths, locked.record));
  const auto real = found_inside([&] { return directory_for(view, destination); });
  GuestChange change(*client, locked.record.user, locked.record.mounts);
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
    const auto stack = visible_stack(context, paths, record);
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

Json list_workspace_files(Context& context, const std::string& workspace, const FileListRequest& request) {
  const auto inside = path_inside(request.path.empty() ? "/workspace" : request.path, "workspace path");
  const auto most = static_cast<std::int64_t>(k_max_listed);
  if (request.limit < 0 || request.limit > most) {
    throw Error(ErrorCode::invalid_argument, "limit must be between 1 and {}", most);
  }
  const ListRequest wanted{
      request.recursive, request.limit == 0 ? k_max_listed : static_cast<std::size_t>(request.limit),
      request.cursor};
  return read_content(context, workspace, "file list", [&](const store::LayeredView& view) {
    return list_files(view, inside, wanted);
  });
}

Json read_workspace_file(Context& context, const std::string& workspace, const FileReadRequest& request) {
  const auto inside = path_inside(request.path, "workspace path");
  if (request.max_chars < 1 || request.max_chars > k_max_file_chars) {
    throw Error(ErrorCode::invalid_argument, "max_chars must be between 1 and {}", k_max_file_chars);
  }
  constexpr std::size_t k_longest_character = 4;
  const auto offset = static_cast<std::uint64_t>(std::max<std::int64_t>(0, request.cursor));
  auto document = read_content(context, workspace, "file read", [&](const store::LayeredView& view) {
    return read_file_bytes(
        view, inside, offset, static_cast<std::size_t>(request.max_chars) * k_longest_character);
  });
  const auto bytes = base64_decode(get_string(document, "content"));
  const auto size = static_cast<std::uint64_t>(get_int(document, "size_bytes"));
  document.erase("bytes_read");
  const auto part = text_or_base64(bytes, size - std::min(size, offset), request.max_chars);
  const bool goes_on = offset + part.bytes < size;
  document["content"] = part.content;
  document["encoding"] = part.encoding;
  document["truncated"] = goes_on;
  document["next_cursor"] = goes_on ? Json(offset + part.bytes) : Json();
  document["max_chars"] = request.max_chars;
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
  const auto stack = visible_stack(context, locked.paths, locked.record);
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
    GuestChange change(*client, locked.record.user, locked.record.mounts);
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
  const auto stack = visible_stack(context, locked.paths, locked.record);
  auto document = os::IdSpace::current().run([&]() -> Json {
    const auto files = work_out_patch(store::LayeredView(stack), patches);
    if (!files.empty()) {
      auto client = connect_sandbox(locked.paths.runtime(), "workspace_patch_apply");
      GuestChange change(*client, locked.record.user, locked.record.mounts);
      send_patch(files, change);
      change.commit();
    }
    return describe_patch(files);
  });
  note_activity(context, locked);
  return with_id(std::move(document), locked.record);
}

} // namespace pyro::workspace
