#include "groups.hpp"
#include "schema_parts.hpp"

#include <pyro/workspace/content.hpp>
#include <pyro/workspace/named_snapshots.hpp>

namespace pyro::operations {

namespace {

Json reset_schema() {
  auto schema = workspace_document_schema();
  schema["properties"]["workspace_reset"] =
      result({{"snapshot_name", text("What it was reset to")}}, {"snapshot_name"});
  schema["required"].push_back("workspace_reset");
  return schema;
}

} // namespace

Json snapshot_schema() {
  return result(
      {{"snapshot_name", text("baseline, or as it was named")},
       {"kind", choice({"baseline", "managed", "named"}, "managed: pyro.yaml declares it")},
       {"created_at", epoch("")},
       {"size_bytes", number("What it adds to its parent")},
       {"entry_count", number("Files that it adds to its parent")},
       {"digest", text("Of its content")},
       {"outdated",
        flag("Other than pyro.yaml and the synced seed make it by now; made again when it is used")},
       {"parent", or_null(text("The snapshot it stands on"))}},
      {"snapshot_name", "kind", "created_at"});
}

Json snapshot_list_schema() {
  return list_of(snapshot_schema(), "The baseline first");
}

std::vector<Operation> snapshot_operations() {
  return {
      {.name = "snapshot_create",
       .summary = "Keep the content of a started workspace as it is now under a name",
       .parameters_schema = any_workspace_parameters(
           {{"snapshot_name",
             text("Small letters, digits, '.', '_' and '-', at most 64, and not 'baseline'")},
            {"dry_run", dry_run_flag()}},
           {"snapshot_name"}),
       .result_schema = result(
           with_dry_run(
               {{"workspace_id", text("Of the workspace")},
                {"name", text("As it was given or made")},
                {"snapshot", snapshot_schema()}}),
           {"workspace_id"}),
       .run =
           [](Context& context, const Json& given) {
             return workspace::create_snapshot(
                 context.workspaces, workspace_of(given), project_of(given),
                 get_string(given, "snapshot_name"), dry_run_of(given));
           }},
      {.name = "snapshot_list",
       .summary = "The snapshots of a workspace, declared and made by hand",
       .parameters_schema = any_workspace_parameters({}),
       .result_schema = result(
           {{"workspace_id", text("Of the workspace")},
            {"count", number("How many there are")},
            {"snapshots", snapshot_list_schema()}},
           {"workspace_id", "count", "snapshots"}),
       .read_only = true,
       .idempotent = true,
       .run =
           [](Context& context, const Json& given) {
             return workspace::list_snapshots(context.workspaces, workspace_of(given), project_of(given));
           }},
      {.name = "snapshot_delete",
       .summary = "Forget a snapshot; its data goes too unless something else needs it",
       .parameters_schema = any_workspace_parameters(
           {{"snapshot_name", text("Any but the baseline")}, {"dry_run", dry_run_flag()}}, {"snapshot_name"}),
       .result_schema = result(
           with_dry_run(
               {{"workspace_id", text("Of the workspace")},
                {"name", text("As it was given or made")},
                {"snapshot_name", text("baseline, or as it was named")},
                {"deleted", flag("Was it removed?")},
                {"freed_bytes", number("0 also where the store was in use: then prune removes the data")}}),
           {"workspace_id", "snapshot_name", "deleted"}),
       .destructive = true,
       .run =
           [](Context& context, const Json& given) {
             return workspace::delete_snapshot(
                 context.workspaces, workspace_of(given), project_of(given),
                 get_string(given, "snapshot_name"), dry_run_of(given));
           }},
      {.name = "workspace_reset",
       .summary = "Make the whole sandbox anew as a snapshot has it; asks nobody",
       .parameters_schema = id_parameters({{"snapshot", text("Default: baseline")}}),
       .result_schema = reset_schema(),
       .destructive = true,
       .run =
           [](Context& context, const Json& given) {
             return workspace::reset_to_snapshot(
                 context.workspaces, id_of(given), string_or(given, "snapshot", "baseline"));
           }},
  };
}

} // namespace pyro::operations
