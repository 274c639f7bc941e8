#include "groups.hpp"
#include "schema_parts.hpp"

#include <pyro/workspace/adoption.hpp>
#include <pyro/workspace/forking.hpp>

namespace pyro::operations {

namespace {

Json run_fork(Context& context, const Json& given) {
  workspace::ForkRequest request;
  request.workspace = workspace_of(given);
  request.snapshot = string_or(given, "snapshot", "");
  request.name = string_or(given, "name", "");
  request.names = strings_or_empty(given, "names");
  const auto count = request.names.empty() ? 1 : static_cast<std::int64_t>(request.names.size());
  request.count = static_cast<int>(std::min<std::int64_t>(int_or(given, "count", count), 1 << 20));
  request.dry_run = dry_run_of(given);
  request.ttl_seconds = maybe_int(given, "ttl_seconds");
  return workspace::fork_workspace(context.workspaces, request, project_of(given));
}

Operation fork_operation() {
  const auto made = result(
      {{"workspace_id", text("Of the workspace")},
       {"name", text("As it was given or made")},
       {"state", text("created, started, stopped, …")},
       {"created_at", epoch("")},
       {"expires_at", or_null(epoch(""))}},
      {"workspace_id", "name", "state"});
  return {
      .name = "workspace_fork",
      .summary =
          "Make and start other workspaces with the same content, at once and without copying it for each",
      .parameters_schema = any_workspace_parameters(
          {{"snapshot", text("Whose content; default: the workspace's as it is now")},
           {"count", number("How many; default 1")},
           {"name", text("Of the one, or with -1, -2, … of each; default: made up")},
           {"names", list_of(text(""), "One for each, instead")},
           {"ttl_seconds", number("From now; default: as the workspace had")},
           {"dry_run", dry_run_flag()}}),
      .result_schema = result(
          with_dry_run(
              {{"source",
                result(
                    {{"workspace_id", text("Of the workspace")}, {"name", text("As it was given or made")}},
                    {"workspace_id", "name"})},
               {"snapshot_name", or_null(text("baseline, or as it was named"))},
               {"count", number("How many were made")},
               {"workspaces", list_of(made, "")},
               {"failed", list_of(
                              result(
                                  {{"name", text("As it was given or made")}, {"error", result({})}},
                                  {"name", "error"}),
                              "Of these nothing is left")},
               {"workspace_id", text("Of the one that would be forked: with dry_run")},
               {"name", text("Of the same")},
               {"duration_ms", number("How long it took")}}),
          {"source", "count", "workspaces", "failed"}),
      .run = run_fork};
}

Operation adopt_operation() {
  return {
      .name = "adopt",
      .summary =
          "Let a workspace belong to the pyro.yaml of this directory; the next plan tells the differences",
      .parameters_schema = project_parameters(
          {{"workspace_id", text("An id, a unique id prefix or a name")}}, {"workspace_id"}),
      .result_schema = result(
          {{"workspace_id", text("Of the workspace")},
           {"name", text("As the file says")},
           {"previous_name", text("Its name before")},
           {"checkout", text("The directory of the file")},
           {"file", text("Its pyro.yaml")}},
          {"workspace_id", "name"}),
      .run = [](Context& context, const Json& given) {
        return workspace::adopt_workspace(context.workspaces, id_of(given), project_of(given));
      }};
}

Operation forget_operation() {
  return {
      .name = "forget",
      .summary = "Let a workspace belong to no pyro.yaml any more; it stays as it is",
      .parameters_schema = any_workspace_parameters({}),
      .result_schema = result(
          {{"workspace_id", text("Of the workspace")},
           {"name", text("As it was given or made")},
           {"file", or_null(text("What it belonged to"))},
           {"changed", flag("Is anything different?")}},
          {"workspace_id", "changed"}),
      .idempotent = true,
      .run = [](Context& context, const Json& given) {
        return workspace::forget_workspace(context.workspaces, workspace_of(given), project_of(given));
      }};
}

} // namespace

std::vector<Operation> fork_operations() {
  return {fork_operation(), adopt_operation(), forget_operation()};
}

} // namespace pyro::operations
