// Files in and out of a workspace. `workspace` is an id, a unique id prefix or a name.
#pragma once

#include <pyro/workspace/context/requests.hpp>

#include <cstdint>
#include <string>

namespace pyro::workspace {

struct Context;

/// Brings a directory or archive of this machine into a started workspace, below `dest` in /workspace: all
/// of it or nothing. {"workspace_id", "workspace_sync": {mode, source_path, destination, …}}
Json push_into_workspace(
    Context& context, const std::string& workspace, const std::string& source_path, const std::string& dest);

/// A file or directory of /workspace to exactly `output_path`, which must not exist.
Json export_from_workspace(
    Context& context, const std::string& workspace, const std::string& path, const std::string& output_path);

/// As cp -r does it: a file or directory of this machine becomes `path` in /workspace, or comes into it where
/// that is a directory or ends with a slash; a source that ends with /. is the content alone. Started
/// workspaces only. `workspace` empty: the one of `project`.
Json copy_into_workspace(
    Context& context, const std::string& workspace, const Project& project, const std::string& source,
    const std::string& path);

/// The other way round, out of a workspace in whatever state; what is there already is never overwritten.
Json copy_out_of_workspace(
    Context& context, const std::string& workspace, const Project& project, const std::string& path,
    const std::string& destination);

/// As cp -r does it, from one workspace (in whatever state) to another, which is started, or within one.
/// {"workspace_id", "path", …} of where it went, "from_workspace_id". Empty names: the one of `project`.
Json copy_between_workspaces(
    Context& context, const std::string& from, const std::string& path, const std::string& to,
    const std::string& to_path, const Project& project);

struct FileListRequest {
  std::string path; // empty: /workspace
  bool recursive = false;
  std::int64_t limit = 0; // entries; 0: as many as are ever listed
  std::string cursor;     // `next_cursor` of the list before; empty: from the beginning
};

/// {"workspace_id", "path", "entries": [{path, artifact_type, size_bytes, link_target}], "truncated",
/// "next_cursor"}
Json list_workspace_files(Context& context, const std::string& workspace, const FileListRequest& request);

struct FileReadRequest {
  std::string path;
  std::int64_t max_chars = 65536; // of binary content: bytes
  std::int64_t cursor = 0;        // bytes before what is read
};

/// A part of a file: {"content", "encoding": utf-8 or base64, "size_bytes", "truncated", "next_cursor", …}
Json read_workspace_file(Context& context, const std::string& workspace, const FileReadRequest& request);

/// The whole file, at once; one that exists keeps its mode and owner. Bytes, whatever they are.
Json write_workspace_file(
    Context& context, const std::string& workspace, const std::string& path, const std::string& content);

/// A unified diff on /workspace: checked as a whole before anything is written, then all of it or nothing.
Json patch_workspace(Context& context, const std::string& workspace, const std::string& patch);

} // namespace pyro::workspace
