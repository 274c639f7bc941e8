#include "groups.hpp"
#include "schema_parts.hpp"

namespace pyro::operations {

namespace {

Json create(Context& context, const Json& given) {
  workspace::CreateRequest request;
  request.environment = get_string(given, "environment");
  request.name = string_or(given, "name", "");
  request.labels = string_map_or_empty(given, "labels");
  request.seed_path = string_or(given, "seed_path", "");
  request.vcpu_count = static_cast<int>(int_or(given, "vcpu_count", request.vcpu_count));
  request.mem_mib = static_cast<int>(int_or(given, "mem_mib", request.mem_mib));
  request.ttl_seconds = int_or(given, "ttl_seconds", request.ttl_seconds);
  request.network_policy = string_or(given, "network_policy", request.network_policy);
  request.backend = string_or(given, "backend", request.backend);
  request.allow_host_compat = bool_or(given, "allow_host_compat", false);
  return context.manager.create(request);
}

} // namespace

std::vector<Operation> by_hand_operations() {
  return {
      {.name = "workspace_create",
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
            {"allow_host_compat",
             flag("May it run without isolation where there is none to be had? Default no")},
            {"backend", text("Default auto: the strongest that works here")}},
           {"environment"}),
       .result_schema = workspace_document_schema(),
       .run = create},
      {.name = "workspace_list",
       .summary = "All workspaces of this user, most recent activity first",
       .parameters_schema = parameters({}),
       .result_schema = result(
           {{"count", number("")}, {"workspaces", list_of(workspace_document_schema(), "")}},
           {"count", "workspaces"}),
       .read_only = true,
       .idempotent = true,
       .run =
           [](Context& context, const Json&) {
             return context.manager.list();
           }},
      {.name = "workspace_status",
       .summary = "State of a workspace: services, snapshots, backend, time to live, last error",
       .parameters_schema = id_parameters({}),
       .result_schema = workspace_document_schema(),
       .read_only = true,
       .idempotent = true,
       .run =
           [](Context& context, const Json& given) {
             return context.manager.status(id_of(given), {});
           }},
      {.name = "workspace_delete",
       .summary = "Remove a workspace with all its snapshots, for good",
       .parameters_schema = id_parameters({}),
       .result_schema =
           result({{"workspace_id", text("")}, {"deleted", flag("")}}, {"workspace_id", "deleted"}),
       .destructive = true,
       .idempotent = true,
       .run =
           [](Context& context, const Json& given) {
             return context.manager.remove(id_of(given));
           }},
  };
}

} // namespace pyro::operations
