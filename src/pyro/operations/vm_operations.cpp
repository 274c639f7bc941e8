#include "captured_exec.hpp"
#include "groups.hpp"
#include "machine_parameters.hpp"

#include <pyro/base/error.hpp>
#include <pyro/workspace/vms.hpp>

namespace pyro::operations {

namespace {

Json document() {
  return result(
      {{"vm_id", text("Of the virtual machine")},
       {"name", text("As it was given or made")},
       {"environment", text("What it is made of")},
       {"state", choice({"created", "started", "stopped"}, "")},
       {"backend", text("As asked for; once started, the one that runs it")},
       {"execution_mode", or_null(text("sandbox, host_compat, …; null before the start"))},
       {"vcpu_count", number("Processors it may use")},
       {"mem_mib", number("Memory it may use, in MiB")},
       {"ttl_seconds", number("How long it lives")},
       {"network_policy", text("off or egress")},
       {"network_enabled", flag("Has it a network?")},
       {"guest_ip", or_null(text("Null without network"))},
       {"created_at", epoch("")},
       {"expires_at", or_null(epoch(""))},
       {"sandbox_pid", or_null(number("The first process of the sandbox, on this machine"))},
       {"last_error", text("What went wrong last; empty: nothing")},
       {"notes", list_of(text(""), "What this machine could not give")}},
      {"vm_id", "state", "network_enabled", "guest_ip"});
}

Json vm_parameters(Properties properties, std::vector<std::string> required = {}) {
  properties["vm_id"] = text("An id, a unique id prefix or a name");
  required.emplace_back("vm_id");
  return parameters(properties, required);
}

std::string vm_of(const Json& given) {
  return get_string(given, "vm_id");
}

Properties joined(Properties one, const Properties& other) {
  one.insert(other.begin(), other.end());
  return one;
}

Properties size_properties() {
  return {
      {"environment", text("debian:12, host, dir:PATH, tar:PATH, …")},
      {"name", text("Default: made up")},
      {"vcpu_count", number("Default 1")},
      {"mem_mib", number("Default 1024")},
      {"ttl_seconds", number("Default 600; then it is stopped and may be reaped")},
      {"network_policy", choice({"off", "egress"}, "Default off")},
      {"backend", text("Default auto: the strongest that works here")},
      {"allow_host_compat", flag("May it run without isolation where there is none to be had? Default no")}};
}

Properties command_properties() {
  return {
      {"command", text("For /bin/sh -c; either this or argv")},
      {"argv", list_of(text(""), "The command and its arguments; no shell")},
      {"cwd", text("Default: /workspace, which is empty")},
      {"env", map_of_text("On top of the environment's")},
      {"user", text("Default: the environment's")},
      {"stdin", text("What it reads; default: nothing")},
      {"timeout_seconds", number("Default 30; then all of it is killed and exit_code is 124")},
      {"max_output_bytes", number("Of each stream, beginning and end are kept; default 1 MiB")}};
}

Operation by_id(
    std::string name, std::string summary, Json result_schema,
    Json (*run)(workspace::Context&, const std::string&)) {
  return {
      .name = std::move(name),
      .summary = std::move(summary),
      .parameters_schema = vm_parameters({}),
      .result_schema = std::move(result_schema),
      .run = [run](Context& context, const Json& given) {
        return run(context.workspaces, vm_of(given));
      }};
}

Operation looking(Operation operation) {
  operation.read_only = true;
  operation.idempotent = true;
  return operation;
}

Operation destroying(Operation operation) {
  operation.destructive = true;
  return operation;
}

Operation vm_create_operation() {
  return {
      .name = "vm_create",
      .summary = "Make a one-shot VM; it is not started yet",
      .parameters_schema = parameters(size_properties(), {"environment"}),
      .result_schema = document(),
      .run = [](Context& context, const Json& given) {
        return workspace::create_vm(context.workspaces, vm_request_of(given));
      }};
}

Operation vm_exec_operation() {
  return {
      .name = "vm_exec",
      .summary = "Run the one command of a started VM, then remove the VM",
      .parameters_schema = vm_parameters(command_properties()),
      .result_schema = result(exec_result_properties(), {"exit_code", "stdout", "stderr"}),
      .destructive = true,
      .run = [](Context& context, const Json& given) {
        return run_captured(
            context, given, vm_command_of(given), [&](const auto& request, const auto& streams) {
              return workspace::exec_in_vm(context.workspaces, vm_of(given), request, streams);
            });
      }};
}

Operation vm_run_operation() {
  return {
      .name = "vm_run",
      .summary = "Create a VM, start it, run a command in it, delete it",
      .parameters_schema = parameters(joined(size_properties(), command_properties()), {"environment"}),
      .result_schema = result(
          exec_result_properties(), {"exit_code", "stdout", "stderr", "execution_mode", "duration_ms"}),
      .run = [](Context& context, const Json& given) {
        return run_captured(
            context, given, vm_command_of(given), [&](const auto& request, const auto& streams) {
              return workspace::run_vm(context.workspaces, vm_request_of(given), request, streams);
            });
      }};
}

Operation vm_list_operation() {
  return {
      .name = "vm_list",
      .summary = "All one-shot VMs, most recent activity first",
      .parameters_schema = parameters({}),
      .result_schema = result(
          {{"count", number("How many there are")}, {"vms", list_of(document(), "")}}, {"count", "vms"}),
      .run = [](Context& context, const Json&) {
        return workspace::list_vms(context.workspaces);
      }};
}

Operation vm_reap_operation() {
  return {
      .name = "vm_reap",
      .summary = "Remove the VMs whose time is over",
      .parameters_schema = parameters({}),
      .result_schema = result(
          {{"count", number("How many there are")}, {"vms", list_of(text(""), "The ids of those removed")}},
          {"count", "vms"}),
      .destructive = true,
      .idempotent = true,
      .run = [](Context& context, const Json&) {
        return workspace::reap_vms(context.workspaces);
      }};
}

} // namespace

std::vector<Operation> vm_operations() {
  const auto deleted = result(
      {{"vm_id", text("Of the virtual machine")}, {"deleted", flag("Was it removed?")}},
      {"vm_id", "deleted"});
  const auto network = result(
      {{"vm_id", text("Of the virtual machine")},
       {"network_enabled", flag("Has it a network?")},
       {"guest_ip", or_null(text("Its address; null without a network"))},
       {"network_policy", text("off or egress")}},
      {"vm_id", "network_enabled", "guest_ip"});
  return {
      vm_create_operation(), by_id("vm_start", "Start a VM", document(), workspace::start_vm),
      vm_exec_operation(), destroying(by_id("vm_stop", "Stop a VM", document(), workspace::stop_vm)),
      destroying(by_id("vm_delete", "Remove a VM", deleted, workspace::delete_vm)),
      // Not read only: it deletes an expired one.
      by_id("vm_status", "State of a VM", document(), workspace::get_vm_status),
      by_id(
          "vm_network_info", "Has a VM a network, and which address?", network,
          workspace::get_vm_network_info),
      looking(vm_list_operation()), vm_reap_operation(), vm_run_operation()};
}

} // namespace pyro::operations
