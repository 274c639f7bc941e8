#include "groups.hpp"
#include "schema_parts.hpp"
#include "text.hpp"

#include <pyro/workspace/services.hpp>

namespace pyro::operations {

namespace {

constexpr std::int64_t k_tail_lines = 200;

Json port_document() {
  return result(
      {{"guest_port", number("The port inside")},
       {"host_port", number("The port on this machine")},
       {"host", text("The address on this machine")},
       {"protocol", text("tcp or udp")}},
      {"guest_port", "host_port"});
}

Json service_document() {
  return result(
      {{"workspace_id", text("Of the workspace")},
       {"service_name", text("Of the service")},
       {"state", choice({"starting", "running", "exited", "stopped", "failed"}, "")},
       {"declared", flag("By a pyro.yaml, not by hand")},
       {"command", text("As it was given")},
       {"cwd", text("Where it ran")},
       {"readiness", or_null(result({}))},
       {"ready_timeout_seconds", number("How long it may take to be ready")},
       {"ready_interval_ms", number("How often it is asked")},
       {"pid", or_null(number("Inside the sandbox"))},
       {"started_at", or_null(epoch(""))},
       {"ready_at", or_null(epoch(""))},
       {"ended_at", or_null(epoch("When it was seen to have no process any more"))},
       {"exit_code", or_null(number("128+N for signal N"))},
       {"restarts", number("By itself, since it was started")},
       {"stop_reason", or_null(text("sigterm, sigkill or workspace_stopped"))},
       {"reason", or_null(text("Why it has failed"))},
       {"last_probe", or_null(text("What the last probe said"))},
       {"log_tail", list_of(text(""), "Of one that has failed: its last lines")},
       {"published_ports", list_of(port_document(), "As long as it runs")},
       {"execution_mode", text("How it was isolated: sandbox, guest_vsock, guest_serial, host_compat")}},
      {"workspace_id", "service_name", "state"});
}

Json service_parameters(Properties more = {}, std::vector<std::string> required = {}) {
  more["service_name"] = text("Of the service");
  required.emplace_back("service_name");
  return id_parameters(std::move(more), std::move(required));
}

Json readiness_schema() {
  return or_null(parameters(
      {{"type", text("file, tcp, http, command or log")},
       {"path", text("file: it exists and is not older than the start; below /workspace unless absolute")},
       {"address", text("tcp: HOST:PORT takes connections")},
       {"url", text("http: answers with 2xx or 3xx")},
       {"command", text("command: exits with 0")},
       {"pattern", text("log: a line matches this extended regular expression")},
       {"text", text("log: a line holds this text")}}));
}

/// No longer text that fails to be UTF-8 inside of documents.
Json in_utf8(Json document) {
  for (const auto* key : {"reason", "last_probe", "stdout", "stderr"}) {
    if (document.contains(key) && document[key].is_string()) {
      document[key] = to_utf8(document[key].get<std::string>());
    }
  }
  if (const auto tail = document.find("log_tail"); tail != document.end()) {
    for (auto& line : *tail) {
      line = to_utf8(line.get<std::string>());
    }
  }
  return document;
}

std::vector<workspace::PublishedPort> ports_of(const Json& given) {
  std::vector<workspace::PublishedPort> ports;
  const auto wanted = given.value("published_ports", Json::array());
  for (const auto& port : wanted) {
    const auto side = [&](const char* key) {
      const auto number = int_or(port, key, 0);
      return static_cast<int>(std::min<std::int64_t>(number, 1 << 20)); // far outside; refused later
    };
    ports.push_back({side("guest_port"), side("host_port")});
  }
  return ports;
}

Json run_service_start(Context& context, const Json& given) {
  workspace::ServiceRequest request;
  request.name = get_string(given, "service_name");
  if (const auto& command = value_at(given, "command"); command.is_string()) {
    request.command = command.get<std::string>();
  } else {
    request.argv = get_strings(given, "command");
  }
  request.cwd = string_or(given, "cwd", "");
  request.env = string_map_or_empty(given, "env");
  request.secret_env = string_map_or_empty(given, "secret_env");
  request.readiness = given.value("readiness", Json());
  request.ready_timeout_seconds = int_or(given, "ready_timeout_seconds", request.ready_timeout_seconds);
  request.ready_interval_ms = int_or(given, "ready_interval_ms", request.ready_interval_ms);
  request.published_ports = ports_of(given);
  return in_utf8(workspace::start_workspace_service(context.workspaces, id_of(given), request));
}

Json run_service_list(Context& context, const Json& given) {
  auto answer = workspace::list_workspace_services(context.workspaces, id_of(given));
  for (auto& service : answer["services"]) {
    service = in_utf8(service);
  }
  return answer;
}

/// tail_lines: absent is 200, null all.
Json run_service_logs(Context& context, const Json& given) {
  const auto wanted = given.find("tail_lines");
  const bool all = wanted != given.end() && wanted->is_null();
  const auto cursor = maybe_int(given, "cursor");
  return in_utf8(workspace::read_workspace_service_logs(
      context.workspaces, id_of(given), get_string(given, "service_name"),
      all ? -1 : int_or(given, "tail_lines", k_tail_lines),
      cursor ? std::optional(static_cast<std::uint64_t>(*cursor)) : std::nullopt));
}

Operation service_start_operation() {
  auto command = list_of(text(""), "A text for /bin/sh -c, or a list: the program and its arguments");
  command["type"] = {"string", "array"};
  const auto port = parameters(
      {{"guest_port", number("The port inside")}, {"host_port", or_null(number("Default: a free one"))}},
      {"guest_port"});
  return {
      .name = "service_start",
      .summary = "Start a process that goes on in the workspace, and wait until it is ready",
      .parameters_schema = service_parameters(
          {{"command", std::move(command)},
           {"cwd", text("Default: the workspace's workdir")},
           {"env", map_of_text("On top of the workspace's")},
           {"secret_env", map_of_text("Secrets as variables: {SECRET: VARIABLE}")},
           {"readiness", readiness_schema()},
           {"ready_timeout_seconds", number("Default 30; then it is stopped and has failed")},
           {"ready_interval_ms", number("Between two looks; default 500")},
           {"published_ports", list_of(port, "Ports of it to reach on 127.0.0.1 of this machine")}},
          {"command"}),
      .result_schema = service_document(),
      .run = run_service_start};
}

Operation service_list_operation() {
  return {
      .name = "service_list",
      .summary = "The services of a workspace",
      .parameters_schema = id_parameters({}),
      .result_schema = result(
          {{"workspace_id", text("Of the workspace")},
           {"count", number("How many there are")},
           {"running_count", number("How many of them run")},
           {"services", list_of(service_document(), "")}},
          {"count", "running_count", "services"}),
      .read_only = true,
      .idempotent = true,
      .run = run_service_list};
}

Operation service_status_operation() {
  return {
      .name = "service_status",
      .summary = "State of a service",
      .parameters_schema = service_parameters(),
      .result_schema = service_document(),
      .read_only = true,
      .idempotent = true,
      .run = [](Context& context, const Json& given) {
        return in_utf8(workspace::get_workspace_service(
            context.workspaces, id_of(given), get_string(given, "service_name")));
      }};
}

Operation service_logs_operation() {
  return {
      .name = "service_logs",
      .summary = "What a service has written",
      .parameters_schema = service_parameters(
          {{"tail_lines", or_null(number("Of both streams together; default 200, null: all that is kept"))},
           {"cursor", number("Only lines before those of the answer that had it as next_cursor")}}),
      .result_schema = result(
          {{"workspace_id", text("Of the workspace")},
           {"service_name", text("Of the service")},
           {"state", text("starting, running, exited, stopped or failed")},
           {"stdout", text("What it wrote to standard output")},
           {"stderr", text("What it wrote to standard error")},
           {"tail_lines", or_null(number("How many of the last lines were wanted; null: all"))},
           {"truncated", flag("There were more lines")},
           {"next_cursor", or_null(number("For the lines before these; null: no more are kept"))}},
          {"service_name", "stdout", "stderr", "truncated"}),
      .read_only = true,
      .idempotent = true,
      .run = run_service_logs};
}

Operation service_stop_operation() {
  return {
      .name = "service_stop",
      .summary = "Stop a service: SIGTERM to its whole group, after 5 s SIGKILL",
      .parameters_schema = service_parameters(),
      .result_schema = service_document(),
      .destructive = true,
      .idempotent = true,
      .run = [](Context& context, const Json& given) {
        return in_utf8(workspace::stop_workspace_service(
            context.workspaces, id_of(given), get_string(given, "service_name")));
      }};
}

} // namespace

std::vector<Operation> service_operations() {
  return {
      service_start_operation(), service_list_operation(), service_status_operation(),
      service_logs_operation(), service_stop_operation()};
}

} // namespace pyro::operations
