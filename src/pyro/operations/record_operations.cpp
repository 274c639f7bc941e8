// What the file is made of, what was done, and doing it again and again: graph, timing, network_log, events,
// watch.
#include "groups.hpp"
#include "schema_parts.hpp"

#include <pyro/base/error.hpp>
#include <pyro/workspace/inspection.hpp>
#include <pyro/workspace/network_log.hpp>
#include <pyro/workspace/recipe_graph.hpp>
#include <pyro/workspace/watching.hpp>

namespace pyro::operations {

namespace {

workspace::GraphForm form_of(const Json& given) {
  const auto form = string_or(given, "format", "text");
  return form == "dot"       ? workspace::GraphForm::dot
         : form == "mermaid" ? workspace::GraphForm::mermaid
         : form == "svg"     ? workspace::GraphForm::svg
                             : workspace::GraphForm::text;
}

Operation graph_operation() {
  const auto node = result(
      {{"id", text("Its address: environment.setup.deps, services.web")},
       {"kind", choice({"layer", "workspace", "service", "snapshot"}, "")},
       {"state", text("cached, missing; started, …; ready, …; taken")}},
      {"id", "kind", "state"});
  const auto edge = result(
      {{"from", text("What is waited for")},
       {"to", text("What waits")},
       {"label", text("Of services: until it is started, ready or completed")}},
      {"from", "to"});
  return {
      .name = "graph",
      .summary = "Layers, services and snapshots of the file, what waits for what, and what is cached",
      .parameters_schema = workspace_parameters(
          {allow_host_compat(),
           {"format", choice({"text", "dot", "mermaid", "svg"}, "Of the text; default: text")}}),
      .result_schema = result(
          {{"name", text("Of the workspace")},
           {"nodes", list_of(node, "Each behind those that it waits for")},
           {"edges", list_of(edge, "")},
           {"text", text("The same in that format")}},
          {"nodes", "edges", "text"}),
      .read_only = true,
      .idempotent = true,
      .run = [](Context& context, const Json& given) {
        return workspace::describe_graph(
            context.workspaces, declared_project(context, given), form_of(given));
      }};
}

Operation timing_operation() {
  const auto action = result(
      {{"address", text("What it was about")},
       {"action", text("build, create, start, …")},
       {"start_ms", number("Since the apply began")},
       {"duration_ms", number("How long it took")},
       {"is_done", flag("False: it failed, or was not waited for")},
       {"critical", flag("Without it the apply would have been over sooner")}},
      {"address", "start_ms", "duration_ms", "critical"});
  return {
      .name = "timing",
      .summary = "How long each action of the last apply took, and which of them the others waited for",
      .parameters_schema = workspace_parameters({}),
      .result_schema = result(
          {{"workspace_id", text("Of the workspace")},
           {"name", text("As it was given or made")},
           {"at", epoch("When the apply began")},
           {"total_ms", number("From its first action to its last")},
           {"critical_ms", number("Of that, the critical actions")},
           {"failure", text("Why it ended; empty: it did not fail")},
           {"actions", list_of(action, "As they began")}},
          {"total_ms", "actions"}),
      .read_only = true,
      .idempotent = true,
      .run = [](Context& context, const Json& given) {
        return workspace::last_apply_timing(context.workspaces, workspace_of(given), project_of(given));
      }};
}

Operation events_operation() {
  const auto event = result(
      {{"ts", epoch("When it was noted")},
       {"op_id", text("Of the operation; the same in all of its events, as in all that one sandbox's "
                      "supervisor notes")},
       {"operation", text("Its name; supervisor: what happened without anybody's asking")},
       {"kind", choice(
                    {"operation_start", "operation_complete", "operation_error", "action_start",
                     "action_complete", "action_error", "sandbox_end", "limit_reached", "service_restart",
                     "service_ready", "service_failed", "service_exited"},
                    "service_ready: again, after a restart")},
       {"address", text("What it is about: services.web, lifecycle.ttl")},
       {"text", text("In words")},
       {"workspace_id", text("Where it is known")},
       {"workspace", text("Its name")},
       {"duration_ms", number("Of what is complete")},
       {"action", text("build, start, reset, …")},
       {"code",
        text("Of an error; of sandbox_end: expired, idle, died, terminated; of limit_reached: "
             "disk_limit, disk_entries, disk_reserve, user_limit; of service_failed: own, timeout, …")}},
      {"ts", "op_id", "operation", "kind"});
  return {
      .name = "events",
      .summary =
          "What was done in this state directory: operations that change something with their actions, and "
          "what sandboxes did by themselves",
      .parameters_schema = parameters(
          {{"workspace", text("A name or an id; default: all")},
           {"tail", number("How many of the last; default 100")},
           {"cursor", text("Of an answer before: what came since")}}),
      .result_schema = result(
          {{"events", list_of(event, "Oldest first")}, {"cursor", text("To go on from here")}},
          {"events", "cursor"}),
      .read_only = true,
      .run = [](Context& context, const Json& given) {
        constexpr std::int64_t k_tail = 100;
        return workspace::read_events(
            context.workspaces, string_or(given, "workspace", ""), string_or(given, "cursor", ""),
            int_or(given, "tail", k_tail));
      }};
}

Operation network_log_operation() {
  const auto count = number("How often");
  const auto record = result(
      {{"at", epoch("When")},
       {"verdict", choice({"allowed", "denied", "failed"}, "failed: allowed, but it could not be reached")},
       {"protocol", text("tls, http, tcp, udp, dns; https: TLS that is opened for a secret")},
       {"host", text("A name, or an address")},
       {"port", number("0: of no port")},
       {"address", text("The real one of the name")},
       {"rule", text("That allowed it")},
       {"reason", text("Why it was refused, what went wrong, or which secret was put in")},
       {"allow", text("Of denied: the line of network.egress that is missing, where that is all")},
       {"count", number("So often within a second")}},
      {"at", "verdict", "protocol", "host", "port", "count"});
  const auto host = result(
      {{"host", text("A name, or an address")},
       {"port", number("0: of no port")},
       {"allowed", count},
       {"denied", count},
       {"failed", count},
       {"last_at", epoch("When it was asked for last")},
       {"protocol", text("Then")},
       {"rule", text("That allowed it then")},
       {"reason", text("Why it was refused then")}},
      {"host", "port", "allowed", "denied", "failed", "last_at"});
  return {
      .name = "network_log",
      .summary = "What the workspace asked of the network where its egress is a list: allowed, denied, and "
                 "by which rule",
      .parameters_schema = workspace_parameters(
          {{"tail", number("How many of the last records; default 100")},
           {"denied", flag("Only what was refused or failed")}}),
      .result_schema = result(
          {{"workspace_id", text("Of the workspace")},
           {"name", text("As it was given or made")},
           {"egress", text("none, all, or the list")},
           {"records", list_of(record, "Oldest first")},
           {"hosts", list_of(host, "The last asked for first")},
           {"proposal", list_of(text(""), "For network.egress: allows every name that was asked for")}},
          {"records", "hosts", "proposal"}),
      .read_only = true,
      .idempotent = true,
      .run = [](Context& context, const Json& given) {
        workspace::NetworkLogRequest request;
        request.tail = int_or(given, "tail", request.tail);
        request.denied = bool_or(given, "denied", false);
        return workspace::network_log(context.workspaces, workspace_of(given), project_of(given), request);
      }};
}

Operation watch_operation() {
  return {
      .name = "watch",
      .summary = "Apply the file, and again as it or files of its seed change, until the call is interrupted",
      .parameters_schema = workspace_parameters(
          {{"restart", list_of(text(""), "Services that are restarted when files were brought in")},
           {"approve", flag("Also where something would be lost")}}),
      .result_schema = result(
          {{"applied", number("How many applies ended well")}, {"failed", number("How many did not")}},
          {"applied", "failed"}),
      .destructive = true,
      .run = [](Context& context, const Json& given) {
        workspace::WatchOptions options;
        options.apply.approve_all = bool_or(given, "approve", false);
        options.restart = strings_or_empty(given, "restart");
        return workspace::watch_project(context.workspaces, declared_project(context, given), options);
      }};
}

} // namespace

std::vector<Operation> record_operations() {
  return {
      graph_operation(), timing_operation(), network_log_operation(), events_operation(), watch_operation()};
}

} // namespace pyro::operations
