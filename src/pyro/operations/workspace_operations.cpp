#include "groups.hpp"
#include "schema_parts.hpp"

namespace pyro::operations {

namespace {

Json service_schema() {
  return result(
      {{"name", text("")},
       {"state", text("starting, running, ready, failed, completed, stopped")},
       {"ready", flag("")},
       {"ready_ms", or_null(number("From its start to ready"))},
       {"restarts", number("")},
       {"exit_code", or_null(number("Of the last exit"))},
       {"note", text("The last failure of a probe, or why it is not running")}},
      {"name", "state"});
}

Json changed_result(Properties more) {
  more["workspace_id"] = text("");
  more["name"] = text("");
  more["duration_ms"] = number("");
  return result(std::move(more));
}

Operation status() {
  return {
      .name = "status",
      .summary =
          "State of a workspace: services with readiness, snapshots, backend, time to live, last error",
      .parameters_schema = workspace_parameters({}),
      .result_schema = result(
          {{"id", text("")},
           {"name", text("")},
           {"state", text("running, stopped, failed, …")},
           {"directory", text("Of its pyro.yaml")},
           {"backend", text("")},
           {"isolation", text("")},
           {"base_snapshot", or_null(text("What the content was last restored from"))},
           {"spec_changed", flag("pyro.yaml differs from what was applied")},
           {"services", list_of(service_schema(), "")},
           {"ports", list_of(result({{"service", text("")}, {"guest", number("")}, {"host", text("")}}), "")},
           {"snapshots",
            list_of(result({{"name", text("")}, {"at", text("")}, {"created_at", text("")}}), "")},
           {"expires_at", or_null(text("End of its time to live"))},
           {"last_error", or_null(result({{"code", text("")}, {"message", text("")}}))}},
          {"id", "name", "state"}),
      .read_only = true,
      .idempotent = true,
      .run = [](Context& context, const Json& given) {
        return context.manager.status(workspace_of(given), project_of(given));
      }};
}

Operation list() {
  return {
      .name = "list",
      .summary = "All workspaces of this user",
      .parameters_schema = parameters({}),
      .result_schema = result(
          {{"workspaces", list_of(
                              result(
                                  {{"id", text("")},
                                   {"name", text("")},
                                   {"state", text("")},
                                   {"backend", text("")},
                                   {"directory", text("")},
                                   {"created_at", text("")}},
                                  {"id", "name", "state"}),
                              "")}},
          {"workspaces"}),
      .read_only = true,
      .idempotent = true,
      .run = [](Context& context, const Json&) {
        return context.manager.list();
      }};
}

Operation start() {
  return {
      .name = "start",
      .summary = "Start a stopped workspace and its services",
      .parameters_schema = workspace_parameters({}),
      .result_schema = changed_result({{"state", text("")}}),
      .idempotent = true,
      .run = [](Context& context, const Json& given) {
        return context.manager.start(workspace_of(given), project_of(given));
      }};
}

Operation stop() {
  return {
      .name = "stop",
      .summary = "Stop a workspace; its content stays",
      .parameters_schema = workspace_parameters({}),
      .result_schema = changed_result({{"state", text("")}}),
      .idempotent = true,
      .run = [](Context& context, const Json& given) {
        return context.manager.stop(workspace_of(given), project_of(given));
      }};
}

Operation reset() {
  return {
      .name = "reset",
      .summary = "Put the content back to a snapshot; undo brings the edits back",
      .parameters_schema = workspace_parameters(
          {{"to", text("A snapshot; default: the file's reset.to, else the deepest one")},
           {"approve", flag("Do not ask where edits would be lost for good")},
           {"timeout", text("For all of it, e.g. 30s")}}),
      .result_schema = changed_result(
          {{"snapshot", text("What it stands on now")},
           {"undo_until", or_null(text("How long undo can bring the edits back"))}}),
      .destructive = true,
      .idempotent = true,
      .run = [](Context& context, const Json& given) {
        return context.manager.reset(
            workspace_of(given), project_of(given), string_or(given, "to", ""), options_of(context, given));
      }};
}

Operation undo() {
  return {
      .name = "undo",
      .summary = "Back to before the last reset, replace or destroy",
      .parameters_schema = workspace_parameters({}),
      .result_schema = changed_result({{"undone", text("What was taken back: reset, replace, destroy")}}),
      .run = [](Context& context, const Json& given) {
        return context.manager.undo(workspace_of(given), project_of(given));
      }};
}

Operation destroy() {
  return {
      .name = "destroy",
      .summary = "Remove a workspace; its snapshots are kept unless asked otherwise",
      .parameters_schema = workspace_parameters(
          {{"snapshots", flag("Remove its snapshots as well, for good")},
           {"approve", flag("Do not ask where something would be lost for good")},
           {"timeout", text("For all of it, e.g. 30s")}}),
      .result_schema =
          changed_result({{"undo_until", or_null(text("How long undo can bring the workspace back"))}}),
      .destructive = true,
      .idempotent = true,
      .run = [](Context& context, const Json& given) {
        return context.manager.destroy(
            workspace_of(given), project_of(given), options_of(context, given),
            bool_or(given, "snapshots", false));
      }};
}

} // namespace

std::vector<Operation> workspace_operations() {
  return {status(), list(), start(), stop(), reset(), undo(), destroy()};
}

} // namespace pyro::operations
