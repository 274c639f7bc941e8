#include "groups.hpp"
#include "machine_parameters.hpp"
#include "schema_parts.hpp"

#include <pyro/workspace/content.hpp>
#include <pyro/workspace/inspection.hpp>
#include <pyro/workspace/made_by_hand.hpp>
#include <pyro/workspace/reaping.hpp>
#include <pyro/workspace/summary.hpp>
#include <pyro/workspace/up_and_down.hpp>

namespace pyro::operations {

namespace {

std::vector<workspace::SecretInput> secrets_of(const Json& given) {
  std::vector<workspace::SecretInput> secrets;
  const auto list = given.find("secrets");
  if (list != given.end()) {
    for (const auto& one : *list) {
      secrets.push_back(
          {get_string(one, "name"), maybe_string(one, "value"), string_or(one, "file_path", "")});
    }
  }
  return secrets;
}

Json run_create(Context& context, const Json& given) {
  workspace::CreateRequest request{vm_request_of(given)};
  request.labels = string_map_or_empty(given, "labels");
  request.seed_path = string_or(given, "seed_path", "");
  request.egress_hosts = strings_or_empty(given, "egress_hosts");
  request.secrets = secrets_of(given);
  return workspace::create_workspace(context.workspaces, request);
}

Operation workspace_create_operation() {
  auto secret = parameters(
      {{"name", text("File in /run/secrets")},
       {"value", text("Either this or file_path")},
       {"file_path", text("A file on this machine that holds it")}},
      {"name"});
  return {
      .name = "workspace_create",
      .summary = "Make a workspace without a pyro.yaml and start it",
      .parameters_schema = parameters(
          {{"environment", text("debian:12, host, dir:PATH, tar:PATH, …")},
           {"name", text("Default: made up")},
           {"labels", map_of_text("")},
           {"seed_path", text("Directory or archive that becomes /workspace; default: empty")},
           {"vcpu_count", number("Default 1")},
           {"mem_mib", number("Default 1024")},
           {"ttl_seconds", number("Default 600; then it is stopped and may be reaped")},
           {"network_policy", choice({"off", "egress"}, "Default off")},
           {"egress_hosts", list_of(text(""), "Egress to these alone, where the backend can")},
           {"allow_host_compat",
            flag("May it run without isolation where there is none to be had? Default no")},
           {"backend", text("Default auto: the strongest that works here")},
           {"secrets", list_of(std::move(secret), "Kept apart, delivered to /run/secrets, never shown")}},
          {"environment"}),
      .result_schema = workspace_document_schema(),
      .run = run_create};
}

Operation workspace_list_operation() {
  return {
      .name = "workspace_list",
      .summary = "All workspaces of this user, most recent activity first",
      .parameters_schema = parameters(
          {{"name", text("Only those of this name")},
           {"labels", map_of_text("Only those with all of these")},
           {"state", choice({"created", "started", "stopped"}, "Only those in this state")}}),
      .result_schema = result(
          {{"count", number("How many there are")},
           {"workspaces", list_of(listed_workspace_schema(), "As in status, without snapshots")},
           {"damaged", list_of(text(""), "Ids whose record cannot be read")}},
          {"count", "workspaces"}),
      .read_only = true,
      .idempotent = true,
      .run = [](Context& context, const Json& given) {
        return workspace::list_workspaces(
            context.workspaces, {string_or(given, "name", ""), string_map_or_empty(given, "labels"),
                                 string_or(given, "state", "")});
      }};
}

Operation workspace_status_operation() {
  return {
      .name = "workspace_status",
      .summary = "State of a workspace: services, snapshots, backend, time to live, last error",
      .parameters_schema = id_parameters({}),
      .result_schema = workspace_document_schema(),
      .read_only = true,
      .idempotent = true,
      .run = [](Context& context, const Json& given) {
        return workspace::get_workspace_status(context.workspaces, id_of(given), {});
      }};
}

Operation workspace_update_operation() {
  return {
      .name = "workspace_update",
      .summary = "Change the name and labels of a workspace; its id stays",
      .parameters_schema = id_parameters(
          {{"name", text("The new one")},
           {"labels", map_of_text("Added to those it has")},
           {"clear_labels", list_of(text(""), "Keys to remove")}}),
      .result_schema = workspace_document_schema(),
      .idempotent = true,
      .run = [](Context& context, const Json& given) {
        return workspace::update_workspace(
            context.workspaces, id_of(given), maybe_string(given, "name"),
            string_map_or_empty(given, "labels"), strings_or_empty(given, "clear_labels"));
      }};
}

Operation workspace_start_operation() {
  return {
      .name = "workspace_start",
      .summary = "Start a stopped workspace on the content it was stopped with",
      .parameters_schema = id_parameters({}),
      .result_schema = workspace_document_schema(),
      .idempotent = true,
      .run = [](Context& context, const Json& given) {
        const auto started = workspace::bring_up_workspace(context.workspaces, id_of(given), {});
        return workspace::get_workspace_status(context.workspaces, get_string(started, "workspace_id"), {});
      }};
}

Operation workspace_stop_operation() {
  return {
      .name = "workspace_stop",
      .summary = "Stop a workspace; its content stays",
      .parameters_schema = id_parameters({}),
      .result_schema = workspace_document_schema(),
      .destructive = true,
      .idempotent = true,
      .run = [](Context& context, const Json& given) {
        const auto stopped = workspace::shut_down_workspace(context.workspaces, id_of(given), {});
        return workspace::get_workspace_status(context.workspaces, get_string(stopped, "workspace_id"), {});
      }};
}

Operation workspace_delete_operation() {
  return {
      .name = "workspace_delete",
      .summary = "Remove a workspace with all its snapshots, for good",
      .parameters_schema = id_parameters({}),
      .result_schema = result(
          {{"workspace_id", text("Of the workspace")}, {"deleted", flag("Was it removed?")}},
          {"workspace_id", "deleted"}),
      .destructive = true,
      .idempotent = true,
      .run = [](Context& context, const Json& given) {
        workspace::ApplyOptions options;
        options.approve_all = true;
        return workspace::destroy_workspace(context.workspaces, id_of(given), {}, options, true);
      }};
}

Operation workspace_summary_operation() {
  return {
      .name = "workspace_summary",
      .summary =
          "What was done in a workspace and what it holds: commands, services, snapshots, changes, sizes",
      .parameters_schema = id_parameters({}),
      .result_schema = result(
          {{"workspace_id", text("Of the workspace")},
           {"name", text("As it was given or made")},
           {"state", text("created, started, stopped, …")},
           {"commands", result(
                            {{"count", number("How many there are")},
                             {"recent", list_of(result({}), "Without output")}})},
           {"services", result(
                            {{"count", number("How many there are")},
                             {"running_count", number("How many of them run")}})},
           {"snapshots", result(
                             {{"count", number("How many there are")},
                              {"names", list_of(text(""), "")},
                              {"size_bytes", number("How much it holds")}})},
           {"changes",
            result(
                {{"changed", flag("In /workspace, since it was made")},
                 {"summary", result({})},
                 {"entries",
                  list_of(result({{"path", text("Where it is")}, {"status", text("How it differs")}}), "")},
                 {"truncated", flag("There are more")}})},
           {"size_bytes", number("Written since its layers")}},
          {"workspace_id", "name", "state", "commands", "services", "snapshots", "changes", "size_bytes"}),
      .read_only = true,
      .idempotent = true,
      .run = [](Context& context, const Json& given) {
        return workspace::summarize_workspace(context.workspaces, id_of(given));
      }};
}

Operation workspace_reap_operation() {
  return {
      .name = "workspace_reap",
      .summary = "Remove workspaces made by hand whose time is over, and records that cannot be read",
      .parameters_schema = parameters({}),
      .result_schema = result(
          {{"count", number("How many there are")},
           {"workspaces", list_of(text(""), "The ids of those removed")},
           {"skipped", list_of(text(""), "Somebody works on them")}},
          {"count", "workspaces"}),
      .destructive = true,
      .idempotent = true,
      .run = [](Context& context, const Json&) {
        return workspace::reap_workspaces(context.workspaces);
      }};
}

} // namespace

std::vector<Operation> by_hand_operations() {
  return {workspace_create_operation(), workspace_list_operation(),    workspace_status_operation(),
          workspace_update_operation(), workspace_start_operation(),   workspace_stop_operation(),
          workspace_delete_operation(), workspace_summary_operation(), workspace_reap_operation()};
}

} // namespace pyro::operations
