#include "groups.hpp"
#include "schema_parts.hpp"

#include <pyro/workspace/snapshot_transfer.hpp>

namespace pyro::operations {

namespace {

Json packed_result(Properties more) {
  more.merge(Properties{
      {"workspace_id", text("Of the workspace")},
      {"snapshot_name", text("baseline, or as it was named")},
      {"manifest", text("Digest of the image's manifest: equal content has equal digests")},
      {"layers", list_of(text(""), "Digests of the packed layers, bottom to top")},
      {"packed_bytes", number("How large it is packed")}});
  return result(more, {"workspace_id", "snapshot_name", "manifest"});
}

Json compression() {
  return choice({"gzip", "zstd", "none"}, "Of the layers; gzip, which every tool reads, is the default");
}

workspace::ImagePacking packing_of(const Json& given) {
  workspace::ImagePacking packing;
  packing.compression = string_or(given, "compression", packing.compression);
  packing.tag = string_or(given, "tag", "");
  return packing;
}

} // namespace

std::vector<Operation> snapshot_image_operations() {
  return {
      {.name = "snapshot_export",
       .summary = "Write a snapshot as an OCI image: a directory, or a file where the path ends with .tar",
       .parameters_schema = any_workspace_parameters(
           {{"snapshot_name", text("baseline, or as it was named")},
            {"output_path", text("What it becomes; must not exist")},
            {"tag", text("Of the image; default: the snapshot's name")},
            {"compression", compression()}},
           {"snapshot_name", "output_path"}),
       .result_schema = packed_result({{"output_path", text("Where it was written on this machine")}}),
       .run =
           [](Context& context, const Json& given) {
             return workspace::export_snapshot(
                 context.workspaces, workspace_of(given), project_of(given),
                 get_string(given, "snapshot_name"), get_string(given, "output_path"), packing_of(given));
           }},
      {.name = "snapshot_push",
       .summary = "Copy a snapshot as an OCI image to a registry",
       .parameters_schema = any_workspace_parameters(
           {{"snapshot_name", text("baseline, or as it was named")},
            {"reference", text("registry.example/team/app:1")},
            {"compression", compression()}},
           {"snapshot_name", "reference"}),
       .result_schema = packed_result({{"reference", text("With all that was implied")}}),
       .idempotent = true,
       .run =
           [](Context& context, const Json& given) {
             return workspace::push_snapshot(
                 context.workspaces, workspace_of(given), project_of(given),
                 get_string(given, "snapshot_name"), get_string(given, "reference"), packing_of(given));
           }},
      {.name = "snapshot_import",
       .summary = "Make a snapshot of an OCI image: of a directory, a file or a registry",
       .parameters_schema = any_workspace_parameters(
           {{"source", text("What snapshot_export wrote, or an OCI image as environment.image takes it")},
            {"snapshot_name", text("Default: the image's tag")}},
           {"source"}),
       .result_schema = result(
           {{"workspace_id", text("Of the workspace")}, {"snapshot", snapshot_schema()}},
           {"workspace_id", "snapshot"}),
       .run =
           [](Context& context, const Json& given) {
             return workspace::import_snapshot(
                 context.workspaces, workspace_of(given), project_of(given), get_string(given, "source"),
                 string_or(given, "snapshot_name", ""));
           }},
  };
}

} // namespace pyro::operations
