#include "groups.hpp"
#include "schema_parts.hpp"

#include <pyro/base/error.hpp>
#include <pyro/workspace/content.hpp>
#include <pyro/workspace/inspection.hpp>
#include <pyro/workspace/service_control.hpp>
#include <pyro/workspace/up_and_down.hpp>
#include <pyro/workspace/waiting.hpp>

namespace pyro::operations {

namespace {

Json service_schema() {
  return result(
      {{"name", text("As it was given or made")},
       {"state", text("waiting, starting, running, ready, exited, failed, completed, stopped, unknown")},
       {"pid", number("Inside; 0: none")},
       {"started_at", epoch("0: never")},
       {"ready_at", epoch("0: not yet")},
       {"ended_at", epoch("Of its last process; 0: it has one, or never had")},
       {"restarts", number("How often it was started again")},
       {"exit_code", or_null(number("Of the last exit"))},
       {"signal", number("That ended it; 0: none")},
       {"reason", text("Why it is not running")},
       {"stop_reason", text("sigterm, sigkill, workspace_stopped")},
       {"last_probe", text("What the last probe saw")},
       {"oom_kills", number("How often it ended for want of memory")},
       {"log_tail", list_of(text(""), "Its last lines")}},
      {"name", "state"});
}

Json changed_result(Properties more) {
  more["workspace_id"] = text("Of the workspace");
  more["name"] = text("As it was given or made");
  more["duration_ms"] = number("How long it took");
  return result(more, {"workspace_id", "name"});
}

Json services_schema() {
  return list_of(service_schema(), "");
}

} // namespace

Json published_ports_schema() {
  return list_of(
      result(
          {{"service", text("Which one")},
           {"port", number("Inside")},
           {"host_port", number("On this machine")},
           {"address", text("Of this machine, where it listens")},
           {"url", or_null(text("Where a probe of the service says that it is HTTP"))}}),
      "Published ports");
}

namespace {

/// What status and list tell alike.
Properties workspace_properties() {
  return {
      {"ports", published_ports_schema()},
      {"workspace_id", text("Of the workspace")},
      {"name", text("As it was given or made")},
      {"labels", map_of_text("As they were given")},
      {"state",
       choice({"created", "started", "stopped", "destroyed", "lost"}, "lost: with its lease; see place")},
      {"place", place_schema()},
      {"checkout", text("The directory of its pyro.yaml")},
      {"checkout_gone", flag("There is no such directory any more")},
      {"environment", text("The image")},
      {"backend", text("What isolates it")},
      {"isolation", text("As pyro.yaml names it")},
      {"execution_mode", text("How it was isolated: sandbox, guest_vsock, guest_serial, host_compat")},
      {"workspace_path", text("Where the content is inside")},
      {"workspace_seed", result(
                             {{"mode", text("empty, directory, tar_archive")},
                              {"seed_path", or_null(text("Absolute; null of an empty one"))},
                              {"entry_count", or_null(number("Files, directories and symlinks"))},
                              {"bytes_written", or_null(number("Of its files"))}})},
      {"network_policy", text("off or egress")},
      {"mounts", list_of(
                     result(
                         {{"from", text("The directory of this machine")},
                          {"to", text("Where it shows inside")},
                          {"mode", choice({"ro", "rw"}, "")}}),
                     "Live directories: no part of the content")},
      {"secrets", list_of(text(""), "Names; values are never told")},
      {"command_count", number("Commands since it was made or last reset")},
      {"last_command",
       or_null(result(
           {{"sequence", number("Its number in the log")},
            {"command", text("As it was given")},
            {"cwd", text("Where it ran")},
            {"exit_code", number("Of the command; 124 where it took too long")},
            {"duration_ms", number("How long it took")},
            {"execution_mode", text("How it was isolated: sandbox, guest_vsock, guest_serial, host_compat")},
            {"started_at", epoch("")}}))},
      {"service_count", number("How many services it has")},
      {"running_service_count", number("How many services run")},
      {"services", services_schema()},
      {"vcpu_count", number("Processors it may use")},
      {"mem_mib", number("Memory it may use, in MiB")},
      {"generation", number("Counts applied specs; 0: the first apply did not end well")},
      {"reset_count", number("How often it was reset")},
      {"last_reset_at", or_null(epoch(""))},
      {"created_at", epoch("")},
      {"started_at", or_null(epoch("Of its sandbox"))},
      {"destroyed_at", or_null(epoch(""))},
      {"last_activity_at", epoch("")},
      {"expires_at", or_null(epoch("End of its time to live"))},
      {"ttl_seconds", or_null(number("Its time to live; null: for ever"))},
      {"network_enabled", flag("Has it a network?")},
      {"guest_ip", or_null(text("Null without network, or while it does not run"))},
      {"last_error", text("Why it is not running; empty: nothing")},
      {"notes", list_of(text(""), "What the backend could not do in full, and what went wrong inside")},
      {"oom_kills", oom_kills_schema()},
      {"undo",
       or_null(result(
           {{"reason", text("What undo takes back")}, {"made_at", epoch("")}, {"expires_at", epoch("")}}))}};
}

/// What a list of hosts let out since the start.
Json network_schema() {
  const Properties counts{
      {"allowed", number("How often it was allowed")},
      {"denied", number("How often it was refused")},
      {"failed", number("How often it was allowed and could not be reached")},
      {"sent_bytes", number("That went out to it")},
      {"received_bytes", number("That came of it")},
      {"last_at", epoch("When it was asked for last")}};
  auto host = counts;
  host["host"] = text("A name, or an address");
  host["port"] = number("0: the name was not resolved");
  host["reason"] = text("Why it was refused then, or which secret was put in");
  return result(
      {{"egress", text("none, all, or the list")},
       {"hosts", list_of(result(host), "Of a list: the last asked for first; at most 256")},
       {"others", or_null(result(counts))}});
}

Json status_schema() {
  auto properties = workspace_properties();
  properties["resources"] = or_null(result({}));
  properties["resources"]["description"] =
      "cpu, memory, pids, disk, vmm as in resource_usage; services have theirs";
  properties["network"] = network_schema();
  properties["base_snapshot"] = or_null(text("What the content was last restored from"));
  properties["verified"] = or_null(result(
      {{"at", epoch("When verify looked")},
       {"reproducible", flag("Did two builds give the same?")},
       {"count", number("How many files differed")},
       {"classes", result({})},
       {"current", flag("Is it of the steps that the workspace was made by?")}}));
  properties["drift"] =
      or_null(result({{"count", number("Files that were changed inside")}, {"causes", causes_schema()}}));
  properties["description"] = text("What pyro.yaml says of it");
  properties["spec_changed"] = flag("pyro.yaml differs from what was applied");
  properties["snapshots"] = snapshot_list_schema();
  properties["lock"] = result(
      {{"pid", number("Of the pyro that holds it")},
       {"operation", text("What runs on it now")},
       {"owner", text("Its user")},
       {"host", text("Its machine")},
       {"since", epoch("")}});
  return result(properties, {"workspace_id", "name", "state", "services", "snapshots", "created_at"});
}

Operation status_operation() {
  return {
      .name = "status",
      .summary =
          "State of a workspace: services with readiness, snapshots, backend, time to live, last error",
      .parameters_schema = workspace_parameters(
          {{"drift", flag("What was changed inside, which costs a look; default true")}}),
      .result_schema = status_schema(),
      .read_only = true,
      .idempotent = true,
      .run = [](Context& context, const Json& given) {
        return workspace::get_workspace_status(
            context.workspaces, workspace_of(given), project_of(given),
            bool_or(given, "drift", true) ? workspace::WithDrift::yes : workspace::WithDrift::no);
      }};
}

Operation list_operation() {
  return {
      .name = "list",
      .summary = "All workspaces of this user",
      .parameters_schema =
          parameters({{"all", flag("Also destroyed ones that are kept for undo and their snapshots")}}),
      .result_schema = result(
          {{"count", number("How many there are")},
           {"workspaces", list_of(listed_workspace_schema(), "As in status")},
           {"damaged", list_of(text(""), "Ids whose record cannot be read")}},
          {"count", "workspaces"}),
      .read_only = true,
      .idempotent = true,
      .run = [](Context& context, const Json& given) {
        workspace::WorkspaceFilter filter;
        filter.with_destroyed = bool_or(given, "all", false);
        return workspace::list_workspaces(context.workspaces, filter);
      }};
}

Operation unlock_operation() {
  return {
      .name = "unlock",
      .summary = "Make sure that no dead command holds a workspace; a living one keeps its lock",
      .parameters_schema = workspace_parameters({}),
      .result_schema = changed_result({{"changed", flag("Was something half done finished or taken back?")}}),
      .idempotent = true,
      .run = [](Context& context, const Json& given) {
        return workspace::unlock_workspace(context.workspaces, workspace_of(given), project_of(given));
      }};
}

Operation start_operation() {
  return {
      .name = "start",
      .summary = "Start a stopped workspace and its services",
      .parameters_schema = workspace_parameters({{"dry_run", dry_run_flag()}}),
      .result_schema = changed_result(
          with_dry_run({{"state", text("created, started, stopped, …")}, {"services", services_schema()}})),
      .idempotent = true,
      .run = [](Context& context, const Json& given) {
        return workspace::bring_up_workspace(
            context.workspaces, workspace_of(given), project_of(given), dry_run_of(given));
      }};
}

Operation restart_operation() {
  return {
      .name = "restart",
      .summary = "Stop services of a started workspace and start them again; files stay",
      .parameters_schema = workspace_parameters(
          {{"services", list_of(text(""), "Default: all")},
           {"wait", flag("Until they are ready; default true")},
           {"dry_run", dry_run_flag()},
           {"timeout", text("For all of it, e.g. 30s")}}),
      .result_schema = changed_result(
          with_dry_run({{"state", text("created, started, stopped, …")}, {"services", services_schema()}})),
      .destructive = true,
      .time_limit = true,
      .run = [](Context& context, const Json& given) {
        return workspace::restart_named_services(
            context.workspaces, workspace_of(given), project_of(given), strings_or_empty(given, "services"),
            bool_or(given, "wait", true) ? workspace::WaitUntilReady::yes : workspace::WaitUntilReady::no,
            dry_run_of(given));
      }};
}

Operation wait_operation() {
  return {
      .name = "wait",
      .summary = "Wait until a workspace is started and its services are ready",
      .parameters_schema = workspace_parameters(
          {{"services", list_of(text(""), "Default: all")},
           {"conditions",
            list_of(
                text(""),
                "Instead, also of what is not there yet: ready, ready=SERVICE, absent, snapshot=NAME")},
           {"timeout", text("For all of it, e.g. 30s")}}),
      .result_schema = result(
          {{"workspace_id", text("Of the workspace; not of an absent one")},
           {"name", text("As it was given or made")},
           {"duration_ms", number("How long it took")},
           {"state", text("absent, created, started, stopped, …")},
           {"services", services_schema()}},
          {"state"}),
      .read_only = true,
      .idempotent = true,
      .time_limit = true,
      .run = [](Context& context, const Json& given) {
        const auto conditions = strings_or_empty(given, "conditions");
        const auto services = strings_or_empty(given, "services");
        if (!conditions.empty() && !services.empty()) {
          throw Error(ErrorCode::usage, "services and conditions cannot be waited for together")
              .with_hint("a condition says ready=SERVICE");
        }
        return conditions.empty() ? workspace::wait_for_workspace(
                   context.workspaces, workspace_of(given), project_of(given), services)
                                  : workspace::wait_for_conditions(
                                      context.workspaces, workspace_of(given), project_of(given), conditions);
      }};
}

Operation stop_operation() {
  return {
      .name = "stop",
      .summary = "Stop a workspace; its content stays",
      .parameters_schema = workspace_parameters({{"dry_run", dry_run_flag()}}),
      .result_schema = changed_result(
          with_dry_run({{"state", text("created, started, stopped, …")}, {"services", services_schema()}})),
      .idempotent = true,
      .run = [](Context& context, const Json& given) {
        return workspace::shut_down_workspace(
            context.workspaces, workspace_of(given), project_of(given), dry_run_of(given));
      }};
}

Operation reset_operation() {
  return {
      .name = "reset",
      .summary = "Put the content back to a snapshot; undo brings the edits back",
      .parameters_schema = workspace_parameters(
          {{"to", text("A snapshot; default: the file's reset.to, else the deepest one")},
           {"approve", flag("Do not ask where edits would be lost for good")},
           {"allow", list_of(text(""), "reset: instead of approve")},
           {"dry_run", dry_run_flag()},
           {"timeout", text("For all of it, e.g. 30s")}}),
      .result_schema = changed_result(with_dry_run(
          {{"workspace_reset", result({{"snapshot_name", text("What it stands on now")}}, {"snapshot_name"})},
           {"reset_count", number("How often it was reset")},
           {"services", services_schema()},
           {"from_memory", flag("Do its services go on where they were when the snapshot was taken?")},
           {"undo", flag("Can undo take it back?")},
           {"undo_expires_at", or_null(epoch("How long it can"))}})),
      .destructive = true,
      .idempotent = true,
      .time_limit = true,
      .run = [](Context& context, const Json& given) {
        return workspace::reset_workspace(
            context.workspaces, workspace_of(given), project_of(given), string_or(given, "to", ""),
            options_of(context, given));
      }};
}

Operation undo_operation() {
  return {
      .name = "undo",
      .summary = "Back to before the last reset, replace or destroy",
      .parameters_schema = workspace_parameters({{"dry_run", dry_run_flag()}}),
      .result_schema = changed_result(with_dry_run(
          {{"undone", text("What was taken back: reset to NAME, destroy, …")},
           {"undo", flag("Can undo take this back?")},
           {"services", services_schema()}})),
      .run = [](Context& context, const Json& given) {
        return workspace::undo_last_change(
            context.workspaces, workspace_of(given), project_of(given), dry_run_of(given));
      }};
}

Operation destroy_operation() {
  return {
      .name = "destroy",
      .summary = "Remove a workspace; its snapshots are kept unless asked otherwise",
      .parameters_schema = workspace_parameters(
          {{"snapshots", flag("Remove its snapshots as well, for good")},
           {"approve", flag("Do not ask where something would be lost for good")},
           {"allow", list_of(text(""), "destroy: instead of approve")},
           {"dry_run", dry_run_flag()},
           {"timeout", text("For all of it, e.g. 30s")}}),
      .result_schema = changed_result(with_dry_run(
          {{"deleted", flag("Was it removed?")},
           {"changed", flag("False: it was destroyed already")},
           {"snapshots_kept", flag("They make the next apply quick")},
           {"undo", flag("Can undo bring it back?")},
           {"undo_expires_at", or_null(epoch("How long it can"))}})),
      .destructive = true,
      .idempotent = true,
      .time_limit = true,
      .run = [](Context& context, const Json& given) {
        return workspace::destroy_workspace(
            context.workspaces, workspace_of(given), project_of(given), options_of(context, given),
            bool_or(given, "snapshots", false));
      }};
}

} // namespace

Json workspace_document_schema() {
  return status_schema();
}

Json listed_workspace_schema() {
  return result(workspace_properties(), {"workspace_id", "name", "state"});
}

std::vector<Operation> workspace_operations() {
  return {status_operation(), list_operation(),   start_operation(),  restart_operation(),
          wait_operation(),   stop_operation(),   unlock_operation(), reset_operation(),
          undo_operation(),   destroy_operation()};
}

} // namespace pyro::operations
