// What workspaces take of this machine: resource_usage.
#include "groups.hpp"
#include "schema_parts.hpp"

#include <pyro/workspace/resource_usage.hpp>

namespace pyro::operations {

namespace {

Json counted_by_schema() {
  return choice(
      {"cgroup", "processes", "machine"},
      "cgroup: by the kernel, for all together; processes: added up over each, what they share in each one's "
      "sum; machine: all inside a virtual machine");
}

Json cpu_schema() {
  return or_null(result(
      {{"seconds", decimal("Of processors, so far")},
       {"percent",
        or_null(decimal("Of one processor, within the interval; null: none was asked for, or it is new"))},
       {"limit", or_null(decimal("Processors; null: none is held"))},
       {"counted_by", counted_by_schema()}},
      {"seconds", "counted_by"}));
}

Json memory_schema() {
  return or_null(result(
      {{"bytes", number("Without cached_bytes")},
       {"peak_bytes", or_null(number("The most so far, cached pages too; null: nobody counts it"))},
       {"cached_bytes", or_null(number("Pages of files, given back when somebody needs room"))},
       {"limit_bytes", or_null(number("Null: none is held"))},
       {"counted_by", counted_by_schema()}},
      {"bytes", "counted_by"}));
}

Json pids_schema() {
  return or_null(result(
      {{"count", number("Processes and their threads")},
       {"limit", or_null(number("Null: none is held"))},
       {"counted_by", counted_by_schema()}},
      {"count", "counted_by"}));
}

Properties figures() {
  return {{"cpu", cpu_schema()}, {"memory", memory_schema()}, {"pids", pids_schema()}};
}

/// The process on this machine that a virtual machine is; its other figures are those of the inside.
Json vmm_schema() {
  auto schema = or_null(result(figures()));
  schema["description"] = "Of a virtual machine: its process on this machine";
  return schema;
}

} // namespace

Json oom_kills_schema() {
  return or_null(result(
      {{"count", number("Processes that were killed since the start for want of memory")},
       {"last", or_null(result({{"who", text("The command or service")}, {"at", epoch("")}}))}}));
}

std::vector<Operation> resource_operations() {
  auto service = figures();
  service["oom_kills"] = or_null(number("How often it ended for want of memory since the start"));
  service["name"] = text("As it was given or made");
  service["state"] = text("waiting, starting, running, ready, exited, failed, completed, stopped");
  auto workspace = figures();
  workspace["vmm"] = vmm_schema();
  workspace["disk"] = or_null(result(
      {{"used_bytes", or_null(number("Written; null: not counted yet"))},
       {"limit_bytes", or_null(number("Null: none is held"))}}));
  workspace["workspace_id"] = text("Of the workspace");
  workspace["name"] = text("As it was given or made");
  workspace["state"] = choice({"created", "started", "stopped", "destroyed"}, "");
  workspace["backend"] = text("What isolates it");
  workspace["oom_kills"] = oom_kills_schema();
  workspace["trouble"] = text("Why something is not known; empty: nothing is wrong");
  workspace["services"] = list_of(result(service, {"name", "state"}), "");
  return {
      {.name = "resource_usage",
       .summary =
           "What running workspaces and their services take: processors, memory now and at most, processes, "
           "disk, and who was killed for want of memory",
       .parameters_schema = parameters(
           {{"workspaces", list_of(text("An id, a unique id prefix or a name"), "Default: all that run")},
            {"interval", text("Read twice, that far apart, for what the processors did meanwhile: 1s")}}),
       .result_schema = result(
           {{"at", epoch("When it was read")},
            {"interval_ms", or_null(number("Null: read once"))},
            {"count", number("How many there are")},
            {"workspaces",
             list_of(result(workspace, {"workspace_id", "name", "state", "services"}), "By name")}},
           {"at", "count", "workspaces"}),
       .read_only = true,
       .idempotent = true,
       .run = [](Context& context, const Json& given) {
         return workspace::resource_usage(
             context.workspaces, {strings_or_empty(given, "workspaces"), duration_of(given, "interval")});
       }}};
}

} // namespace pyro::operations
