#include "groups.hpp"
#include "schema_parts.hpp"

namespace pyro::operations {

namespace {

Json snapshot_schema() {
  return result(
      {{"name", text("")},
       {"at", text("The point of the recipe it was taken at; empty for one saved by hand")},
       {"created_at", text("")},
       {"bytes", number("What it adds to the layers below it")}},
      {"name"});
}

} // namespace

std::vector<Operation> snapshot_operations() {
  return {
      {.name = "snapshot_save",
       .summary = "Keep the content as it is now under a name",
       .parameters_schema =
           workspace_parameters({{"name", text("Letters, digits, '.', '_' and '-'")}}, {"name"}),
       .result_schema = snapshot_schema(),
       .run =
           [](Context& context, const Json& given) {
             return context.manager.snapshot_save(
                 workspace_of(given), project_of(given), get_string(given, "name"));
           }},
      {.name = "snapshot_list",
       .summary = "The snapshots of a workspace, declared and saved",
       .parameters_schema = workspace_parameters({}),
       .result_schema = result({{"snapshots", list_of(snapshot_schema(), "")}}, {"snapshots"}),
       .read_only = true,
       .idempotent = true,
       .run =
           [](Context& context, const Json& given) {
             return context.manager.snapshot_list(workspace_of(given), project_of(given));
           }},
      {.name = "snapshot_remove",
       .summary = "Forget a snapshot's name; prune removes its data when nothing else needs it",
       .parameters_schema = workspace_parameters({{"name", text("")}}, {"name"}),
       .result_schema = result({{"name", text("")}}),
       .destructive = true,
       .run =
           [](Context& context, const Json& given) {
             return context.manager.snapshot_remove(
                 workspace_of(given), project_of(given), get_string(given, "name"));
           }},
  };
}

} // namespace pyro::operations
