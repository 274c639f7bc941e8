// Files in and out of a workspace made by hand.
#include "groups.hpp"
#include "schema_parts.hpp"

#include <pyro/base/base64.hpp>
#include <pyro/workspace/files.hpp>
#include <pyro/workspace/inspection.hpp>

namespace pyro::operations {

namespace {

Json encoding_schema() {
  return choice({"utf-8", "base64"}, "Of content; default: utf-8");
}

Json about_workspace(Properties properties, std::vector<std::string> required) {
  properties["workspace_id"] = text("Of the workspace");
  properties["execution_mode"] = text("How it was isolated: sandbox, guest_vsock, guest_serial, host_compat");
  required.emplace_back("workspace_id");
  return result(properties, required);
}

Json export_document() {
  return about_workspace(
      {{"workspace_path", text("Where the content is inside")},
       {"output_path", text("Where it was written on this machine")},
       {"artifact_type", choice({"file", "directory", "symlink"}, "")},
       {"entry_count", number("Files, directories and links")},
       {"bytes_written", number("How much content was written")},
       {"left_out", number("FIFOs, sockets and devices")}},
      {"output_path", "artifact_type", "entry_count", "bytes_written"});
}

Operation workspace_sync_push_operation() {
  return {
      .name = "workspace_sync_push",
      .summary =
          "Bring a directory or archive of this machine into a started workspace, all of it or nothing",
      .parameters_schema = id_parameters(
          {{"source_path", text("A directory, or .tar, .tar.gz, .tgz, .tar.zst")},
           {"dest", text("A directory in /workspace, made where it is missing; default: /workspace")}},
          {"source_path"}),
      .result_schema = about_workspace(
          {{"state", text("created, started, stopped, …")},
           {"workspace_sync",
            result(
                {{"mode", choice({"directory", "tar_archive"}, "")},
                 {"source_path", text("What was taken")},
                 {"destination", text("Where it was put inside")},
                 {"entry_count", number("Files, directories and symlinks of the source")},
                 {"bytes_written", number("How much content was written")},
                 {"left_out", number("Sockets, FIFOs and devices of a directory")},
                 {"added", number("Entries put where nothing was; a new directory with all in it is one")},
                 {"replaced", number("How many took the place of others")},
                 {"unchanged", number("The very same file was there")}},
                {"mode", "source_path", "destination", "entry_count", "bytes_written"})}},
          {"workspace_sync"}),
      .destructive = true,
      .idempotent = true,
      .run = [](Context& context, const Json& given) {
        return workspace::push_into_workspace(
            context.workspaces, id_of(given), get_string(given, "source_path"),
            string_or(given, "dest", "/workspace"));
      }};
}

Operation workspace_export_operation() {
  return {
      .name = "workspace_export",
      .summary = "Copy a file or directory of /workspace to a path of this machine that does not exist yet",
      .parameters_schema = id_parameters(
          {{"path", text("In /workspace; relative ones start there")},
           {"output_path", text("What it becomes: a directory's content gets no extra level")}},
          {"path", "output_path"}),
      .result_schema = export_document(),
      .read_only = true,
      .run = [](Context& context, const Json& given) {
        return workspace::export_from_workspace(
            context.workspaces, id_of(given), get_string(given, "path"), get_string(given, "output_path"));
      }};
}

Operation copy_in_operation() {
  return {
      .name = "copy_in",
      .summary = "Copy a file or directory of this machine to a path in /workspace, as cp -r does",
      .parameters_schema = workspace_parameters(
          {{"source_path", text("A file or directory; one that ends with /. is its content alone")},
           {"path", text("What it becomes in /workspace, or the directory that it comes into")}},
          {"source_path", "path"}),
      .result_schema = about_workspace(
          {{"path", text("What it has become")},
           {"source_path", text("What was taken")},
           {"artifact_type", choice({"file", "directory"}, "")},
           {"entry_count", number("Files, directories and links")},
           {"bytes_written", number("How much content was written")}},
          {"path", "artifact_type", "entry_count", "bytes_written"}),
      .destructive = true,
      .idempotent = true,
      .run = [](Context& context, const Json& given) {
        return workspace::copy_into_workspace(
            context.workspaces, workspace_of(given), project_of(given), get_string(given, "source_path"),
            get_string(given, "path"));
      }};
}

Operation copy_out_operation() {
  return {
      .name = "copy_out",
      .summary = "Copy a file or directory of /workspace to this machine, as cp -r does",
      .parameters_schema = workspace_parameters(
          {{"path", text("In /workspace; relative ones start there")},
           {"output_path", text("What it becomes, or the directory that it comes into")}},
          {"path", "output_path"}),
      .result_schema = export_document(),
      .read_only = true,
      .run = [](Context& context, const Json& given) {
        return workspace::copy_out_of_workspace(
            context.workspaces, workspace_of(given), project_of(given), get_string(given, "path"),
            get_string(given, "output_path"));
      }};
}

Operation copy_between_operation() {
  return {
      .name = "copy_between",
      .summary = "Copy a file or directory from one workspace to another, or within one, as cp -r does",
      .parameters_schema = workspace_parameters(
          {{"path", text("In /workspace of `workspace`; one that ends with /. is its content alone")},
           {"to_workspace", text("A name or an id, of one that is started; default: that of the file")},
           {"to_path", text("What it becomes in /workspace there, or the directory that it comes into")}},
          {"path", "to_path"}),
      .result_schema = about_workspace(
          {{"path", text("What it has become")},
           {"source_path", text("What was taken")},
           {"from_workspace_id", text("Of the workspace that it was taken from")},
           {"artifact_type", choice({"file", "directory"}, "")},
           {"entry_count", number("Files, directories and links")},
           {"bytes_written", number("How much content was written")},
           {"left_out", number("FIFOs, sockets and devices")}},
          {"path", "from_workspace_id", "artifact_type", "entry_count", "bytes_written"}),
      .destructive = true,
      .idempotent = true,
      .run = [](Context& context, const Json& given) {
        return workspace::copy_between_workspaces(
            context.workspaces, workspace_of(given), get_string(given, "path"),
            string_or(given, "to_workspace", ""), get_string(given, "to_path"), project_of(given));
      }};
}

Operation workspace_diff_operation() {
  const auto entry = result(
      {{"path", text("Relative to /workspace")},
       {"status", choice({"added", "modified", "deleted", "type_changed"}, "")},
       {"artifact_type",
        choice({"file", "directory", "symlink"}, "The new one, of a deleted entry the old one")},
       {"size", or_null(number("Of a file"))},
       {"text_patch", or_null(text("Unified diff, where both sides are text"))}},
      {"path", "status", "artifact_type", "text_patch"});
  return {
      .name = "workspace_diff",
      .summary = "What is different in /workspace since it was created",
      .parameters_schema = id_parameters({}),
      .result_schema = about_workspace(
          {{"changed", flag("Is anything different?")},
           {"summary",
            result(
                {{"total", number("Of all kinds together")},
                 {"added", number("How many are new")},
                 {"modified", number("How many were changed")},
                 {"deleted", number("How many are gone")},
                 {"type_changed", number("How many are of another kind now")},
                 {"text_patched", number("How many have a text patch")},
                 {"non_text", number("How many have no text patch")}},
                {"total", "added", "modified", "deleted", "type_changed", "text_patched", "non_text"})},
           {"entries", list_of(entry, "")},
           {"patch", text("One unified diff of all text; `git apply` takes it")}},
          {"changed", "summary", "entries", "patch"}),
      .read_only = true,
      .idempotent = true,
      .run = [](Context& context, const Json& given) {
        return workspace::diff_from_baseline(context.workspaces, id_of(given));
      }};
}

Operation workspace_file_list_operation() {
  const auto entry = result(
      {{"path", text("Where it is")},
       {"artifact_type", choice({"file", "directory", "symlink", "other"}, "")},
       {"size_bytes", or_null(number("Of a file"))},
       {"link_target", or_null(text("Of a symlink"))}},
      {"path", "artifact_type"});
  return {
      .name = "workspace_file_list",
      .summary = "Names, types and sizes of files in /workspace",
      .parameters_schema = id_parameters(
          {{"path", text("Default: /workspace")},
           {"recursive", flag("With everything below")},
           {"limit", number("The most that are listed; default and at most 100000")},
           {"cursor", text("next_cursor of the answer before: what comes behind it")}}),
      .result_schema = about_workspace(
          {{"path", text("Where it is")},
           {"recursive", flag("Were those below listed too?")},
           {"entries", list_of(entry, "")},
           {"truncated", flag("There are more than are listed")},
           {"next_cursor", or_null(text("For those that come next; null: there are none"))}},
          {"path", "entries", "truncated"}),
      .read_only = true,
      .idempotent = true,
      .run = [](Context& context, const Json& given) {
        return workspace::list_workspace_files(
            context.workspaces, id_of(given),
            {string_or(given, "path", "/workspace"), bool_or(given, "recursive", false),
             int_or(given, "limit", 0), string_or(given, "cursor", "")});
      }};
}

Operation workspace_file_read_operation() {
  return {
      .name = "workspace_file_read",
      .summary = "A part of a file in /workspace, from its beginning or from a cursor on",
      .parameters_schema = id_parameters(
          {{"path", text("Where it is")},
           {"max_chars",
            number("The most that is read, in characters (of binary content: bytes); default 65536")},
           {"cursor", number("Where to begin, in bytes: next_cursor of the answer before; default 0")}},
          {"path"}),
      .result_schema = about_workspace(
          {{"path", text("Where it is")},
           {"size_bytes", number("Of the whole file")},
           {"max_chars", number("How much was wanted at most")},
           {"content", text("Of the file")},
           {"encoding", encoding_schema()},
           {"truncated", flag("The file goes on")},
           {"next_cursor", or_null(number("Where it goes on; null: it does not"))}},
          {"path", "size_bytes", "content", "encoding", "truncated"}),
      .read_only = true,
      .idempotent = true,
      .run = [](Context& context, const Json& given) {
        workspace::FileReadRequest request;
        request.path = get_string(given, "path");
        request.max_chars = int_or(given, "max_chars", request.max_chars);
        request.cursor = int_or(given, "cursor", 0);
        return workspace::read_workspace_file(context.workspaces, id_of(given), request);
      }};
}

Operation workspace_file_write_operation() {
  return {
      .name = "workspace_file_write",
      .summary = "Write a whole file in /workspace, at once",
      .parameters_schema = id_parameters(
          {{"path", text("Missing directories are made")},
           {"content", text("Of the file")},
           {"encoding", encoding_schema()}},
          {"path", "content"}),
      .result_schema = about_workspace(
          {{"path", text("Where it is")},
           {"size_bytes", number("How much it holds")},
           {"bytes_written", number("How much content was written")},
           {"created", flag("It was not there before")}},
          {"path", "size_bytes", "bytes_written"}),
      .destructive = true,
      .idempotent = true,
      .run = [](Context& context, const Json& given) {
        auto content = get_string(given, "content");
        if (string_or(given, "encoding", "utf-8") == "base64") {
          content = base64_decode(content);
        }
        return workspace::write_workspace_file(
            context.workspaces, id_of(given), get_string(given, "path"), content);
      }};
}

Operation workspace_patch_apply_operation() {
  const auto entry = result(
      {{"path", text("Relative to /workspace")}, {"status", choice({"added", "modified", "deleted"}, "")}},
      {"path", "status"});
  return {
      .name = "workspace_patch_apply",
      .summary = "Apply a unified diff to /workspace: checked as a whole first, then all of it or nothing",
      .parameters_schema = id_parameters({{"patch", text("As `git diff` writes it")}}, {"patch"}),
      .result_schema = about_workspace(
          {{"changed", flag("Is anything different?")},
           {"summary", result(
                           {{"total", number("Of all kinds together")},
                            {"added", number("How many are new")},
                            {"modified", number("How many were changed")},
                            {"deleted", number("How many are gone")}})},
           {"entries", list_of(entry, "")}},
          {"changed", "summary", "entries"}),
      .destructive = true,
      .run = [](Context& context, const Json& given) {
        return workspace::patch_workspace(context.workspaces, id_of(given), get_string(given, "patch"));
      }};
}

} // namespace

std::vector<Operation> content_operations() {
  return {
      copy_in_operation(),
      copy_out_operation(),
      copy_between_operation(),
      workspace_sync_push_operation(),
      workspace_export_operation(),
      workspace_diff_operation(),
      workspace_file_list_operation(),
      workspace_file_read_operation(),
      workspace_file_write_operation(),
      workspace_patch_apply_operation()};
}

} // namespace pyro::operations
