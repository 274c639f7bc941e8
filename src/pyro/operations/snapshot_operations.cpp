#include "groups.hpp"
#include "schema_parts.hpp"

namespace pyro::operations {

namespace {

Json snapshot_schema() {
  return result(
      {{"snapshot_name", text("")},
       {"kind", choice({"baseline", "managed", "named"}, "managed: pyro.yaml declares it")},
       {"created_at", epoch("")},
       {"size_bytes", number("What it adds to its parent")},
       {"entry_count", number("Files that it adds to its parent")},
       {"digest", text("Of its content")},
       {"parent", or_null(text("The snapshot it stands on"))}},
      {"snapshot_name", "kind", "created_at"});
}

} // namespace

Json snapshot_list_schema() {
  return list_of(snapshot_schema(), "The baseline first");
}

std::vector<Operation> snapshot_operations() {
  return {
      {.name = "snapshot_save",
       .summary = "Keep the content as it is now under a name",
       .parameters_schema =
           workspace_parameters({{"name", text("Letters, digits, '.', '_' and '-'")}}, {"name"}),
       .result_schema = result(
           {{"workspace_id", text("")}, {"snapshot", snapshot_schema()}}, {"workspace_id", "snapshot"}),
       .run =
           [](Context& context, const Json& given) {
             return context.manager.snapshot_save(
                 workspace_of(given), project_of(given), get_string(given, "name"));
           }},
      {.name = "snapshot_list",
       .summary = "The snapshots of a workspace, declared and saved",
       .parameters_schema = workspace_parameters({}),
       .result_schema = result(
           {{"workspace_id", text("")}, {"count", number("")}, {"snapshots", snapshot_list_schema()}},
           {"workspace_id", "snapshots"}),
       .read_only = true,
       .idempotent = true,
       .run =
           [](Context& context, const Json& given) {
             return context.manager.snapshot_list(workspace_of(given), project_of(given));
           }},
      {.name = "snapshot_remove",
       .summary = "Forget a snapshot's name; prune removes its data when nothing else needs it",
       .parameters_schema = workspace_parameters({{"name", text("")}}, {"name"}),
       .result_schema = result(
           {{"workspace_id", text("")}, {"snapshot_name", text("")}, {"deleted", flag("")}}, {"deleted"}),
       .destructive = true,
       .run =
           [](Context& context, const Json& given) {
             return context.manager.snapshot_remove(
                 workspace_of(given), project_of(given), get_string(given, "name"));
           }},
  };
}

} // namespace pyro::operations
