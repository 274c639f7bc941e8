// `pyro workspace service …`: services by hand.
#include <pyro/base/error.hpp>
#include <pyro/base/text.hpp>
#include <pyro/cli/by_hand.hpp>
#include <pyro/cli/commands.hpp>
#include <pyro/cli/render_parts.hpp>
#include <pyro/operations/text.hpp>

namespace pyro::cli {

namespace workspace_service_command {

namespace {

constexpr std::string_view k_start_page = R"(
Starts a command that goes on in the workspace, whoever is connected, and waits until it is ready: with --ready-log,
say, until that shows in its output. One that ends before, or is not ready in time, has failed; its last lines are shown
and the exit status is 6. A name can be used again once its service is not running.

Examples:
  pyro workspace service start my-workspace web --ready-http http://127.0.0.1:8000/ --publish 8000 -- 'python3 -m http.server'
  pyro workspace service start my-workspace db --ready-file run/db.pid -- ./db --data /workspace/data
  pyro workspace service start my-workspace worker --ready-log 'listening on [0-9]+' -- ./worker
)";

constexpr std::string_view k_list_page = R"(
Examples:
  pyro workspace service list my-workspace
)";

constexpr std::string_view k_status_page = R"(
Examples:
  pyro workspace service status my-workspace web
)";

constexpr std::string_view k_logs_page = R"(
Prints what a service has written: what it wrote to its standard error goes to ours. With --follow also what follows,
both in one stream, until the service ends or Ctrl-C.

Examples:
  pyro workspace service logs my-workspace web --tail-lines 20
  pyro workspace service logs my-workspace web --follow
)";

constexpr std::string_view k_stop_page = R"(
SIGTERM to the service and all its processes, after 5 s SIGKILL.

Examples:
  pyro workspace service stop my-workspace web
)";

constexpr Operand k_service_operand{"SERVICE", Count::one, "Its name"};
constexpr std::array k_one_service{k_workspace_operand, k_service_operand};

constexpr std::array k_start_options{
    Option{"--ready-file", "", "PATH", "Ready when this file is there"},
    Option{"--ready-tcp", "", "HOST:PORT", "Ready when this address takes connections"},
    Option{"--ready-http", "", "URL", "Ready when this answers with 2xx or 3xx"},
    Option{"--ready-command", "", "COMMAND", "Ready when this exits with 0"},
    Option{"--ready-log", "", "PATTERN", "Ready when a line of its output matches"},
    Option{"--ready-timeout-seconds", "", "N", "Default: 30"},
    Option{"--ready-interval-ms", "", "N", "Between two looks; default: 500"},
    Option{"--publish", "", "[HOST_PORT:]PORT", "Reach this port of it on 127.0.0.1", "", Repeat::yes},
    k_cwd,
    k_env,
    k_secret_env,
};

constexpr std::array k_logs_options{
    Option{"--tail-lines", "", "N", "Default: 200"},
    Option{"--all", "", "", "All that is kept"},
    Option{"--cursor", "", "N", "Only lines before those of the answer with this next_cursor (--json)"},
    Option{"--follow", "", "", "Go on with what is written from now on"},
};

Json by_service(const Session& session) {
  auto parameters = by_id(session);
  parameters["service_name"] = session.arguments().operands.at(1);
  return parameters;
}

int port_of(std::string_view text) {
  const auto port = whole_number<int>(text).value_or(0);
  if (port < 1 || port > 65535) {
    throw Error(ErrorCode::usage, "--publish: '{}' is no port", text);
  }
  return port;
}

Json published_ports(const Session& session) {
  Json ports = Json::array();
  for (const auto& text : session.arguments().values("publish")) {
    const auto colon = text.find(':');
    if (colon == std::string::npos) {
      ports.push_back({{"guest_port", port_of(text)}});
    } else {
      ports.push_back(
          {{"guest_port", port_of(text.substr(colon + 1))}, {"host_port", port_of(text.substr(0, colon))}});
    }
  }
  return ports;
}

Json readiness(const Session& session) {
  Json found;
  for (const auto& [flag, type, key] :
       {std::tuple("ready-file", "file", "path"), std::tuple("ready-tcp", "tcp", "address"),
        std::tuple("ready-http", "http", "url"), std::tuple("ready-command", "command", "command"),
        std::tuple("ready-log", "log", "pattern")}) {
    if (session.arguments().has(flag)) { // an empty one too: the operation says what is missing
      if (!found.is_null()) {
        throw Error(ErrorCode::usage, "give one --ready-… flag, not several");
      }
      found = {{"type", type}, {key, session.arguments().value(flag)}};
    }
  }
  return found;
}

/// What follows --: one word is a line for a shell, several are a program and its arguments.
Json command_of(const Session& session) {
  const auto& words = session.arguments().operands;
  const std::vector<std::string> command(words.begin() + 2, words.end());
  if (command.empty()) {
    throw Error(ErrorCode::usage, "pyro {} needs a command", session.command().name)
        .with_hint("it follows --: pyro workspace service start WORKSPACE SERVICE -- COMMAND");
  }
  return command.size() == 1 ? Json(command.front()) : Json(command);
}

std::string sentence(const Json& service, Style style) {
  auto text =
      fmt::format("{} {}", text_at(service, "service_name"), colored_state(text_at(service, "state"), style));
  if (const auto code = maybe_int(service, "exit_code"); code && text_at(service, "reason").empty()) {
    text += fmt::format(", exit code {}", *code);
  }
  for (const auto* key : {"reason", "stop_reason"}) {
    if (const auto why = text_at(service, key); !why.empty()) {
      text += ", " + why;
    }
  }
  static const Json k_none = Json::array(); // they end with the service
  const bool is_up = text_at(service, "state") == "running" || text_at(service, "state") == "starting";
  for (const auto& port : is_up ? list_at(service, "published_ports") : k_none) {
    text +=
        fmt::format(", 127.0.0.1:{} is its port {}", get_int(port, "host_port"), get_int(port, "guest_port"));
  }
  return text + "\n";
}

int run_start(Session& session) {
  auto parameters = by_service(session);
  parameters["command"] = command_of(session);
  parameters["readiness"] = readiness(session);
  parameters["published_ports"] = published_ports(session);
  take_number(session, "ready-timeout-seconds", parameters);
  take_number(session, "ready-interval-ms", parameters);
  take_text(session, "cwd", parameters);
  take_pairs(session, "env", "env", parameters);
  if (const auto wanted = secret_env_of(session); !wanted.empty()) {
    parameters["secret_env"] = wanted;
  }
  const auto service = session.call("service_start", parameters);
  session.conclude(service, [&](const Json& document) {
    auto text = sentence(document, session.err_style());
    for (const auto& line : list_at(document, "log_tail")) {
      text += "  | " + operations::escape_controls(line.get<std::string>()) + "\n";
    }
    return text;
  });
  return get_string(service, "state") == "failed" ? exit_status_of(ErrorCode::not_ready) : 0;
}

int run_list(Session& session) {
  session.show(session.call("service_list", by_id(session)), [&](const Json& result) {
    std::string text;
    for (const auto& service : list_at(result, "services")) {
      text += sentence(service, session.out_style());
    }
    return text;
  });
  return 0;
}

int run_status(Session& session) {
  session.show(session.call("service_status", by_service(session)), [&](const Json& service) {
    return sentence(service, session.out_style());
  });
  return 0;
}

/// Lines of a guest, safe to look at.
std::string safe_lines(const std::string& text) {
  std::string safe;
  std::size_t start = 0;
  while (start < text.size()) {
    const auto end = std::min(text.find('\n', start), text.size());
    safe += operations::escape_controls(text.substr(start, end - start)) + "\n";
    start = end + 1;
  }
  return safe;
}

int follow(Session& session) {
  operations::LogRequest request;
  request.service = session.arguments().operands.at(1);
  request.follow = true;
  Json tail = Json::object();
  take_number(session, "tail-lines", tail);
  request.tail =
      session.arguments().has("all") ? -1 : static_cast<int>(int_or(tail, "tail_lines", request.tail));
  const Json where{{"workspace", session.arguments().operands.front()}};
  session.engine().stream_logs(where, request, [&](const std::string&, const std::string& line) {
    session.console().out(operations::escape_controls(line) + "\n");
  });
  return 0;
}

int run_logs(Session& session) {
  if (session.arguments().has("follow")) {
    return follow(session);
  }
  auto parameters = by_service(session);
  take_number(session, "tail-lines", parameters);
  take_number(session, "cursor", parameters);
  if (session.arguments().has("all")) {
    parameters["tail_lines"] = nullptr;
  }
  const auto logs = session.call("service_logs", parameters);
  session.show(logs, [](const Json& result) { return safe_lines(get_string(result, "stdout")); });
  if (session.format() == Format::text) {
    session.console().err(safe_lines(get_string(logs, "stderr")));
  }
  return 0;
}

int run_stop(Session& session) {
  session.conclude(session.call("service_stop", by_service(session)), [&](const Json& service) {
    return sentence(service, session.err_style());
  });
  return 0;
}

constexpr std::array k_start_operands{
    k_workspace_operand, k_service_operand,
    Operand{"COMMAND", Count::many, "Behind --; one word is for a shell"}};

} // namespace

} // namespace workspace_service_command

constinit const Command k_workspace_service_start{
    .name = "workspace service start",
    .summary = "Start a process that goes on, and wait until it is ready",
    .page = workspace_service_command::k_start_page,
    .run = workspace_service_command::run_start,
    .options = workspace_service_command::k_start_options,
    .operands = workspace_service_command::k_start_operands,
    .takes = Takes::document,
};

constinit const Command k_workspace_service_list{
    .name = "workspace service list",
    .summary = "List the services of a workspace",
    .page = workspace_service_command::k_list_page,
    .run = workspace_service_command::run_list,
    .operands = k_one_workspace,
    .takes = Takes::document,
};

constinit const Command k_workspace_service_status{
    .name = "workspace service status",
    .summary = "Show the state of a service",
    .page = workspace_service_command::k_status_page,
    .run = workspace_service_command::run_status,
    .operands = workspace_service_command::k_one_service,
    .takes = Takes::document,
};

constinit const Command k_workspace_service_logs{
    .name = "workspace service logs",
    .summary = "Print what a service has written",
    .page = workspace_service_command::k_logs_page,
    .run = workspace_service_command::run_logs,
    .options = workspace_service_command::k_logs_options,
    .operands = workspace_service_command::k_one_service,
    .takes = Takes::document,
};

constinit const Command k_workspace_service_stop{
    .name = "workspace service stop",
    .summary = "Stop a service",
    .page = workspace_service_command::k_stop_page,
    .run = workspace_service_command::run_stop,
    .operands = workspace_service_command::k_one_service,
    .takes = Takes::document,
};

} // namespace pyro::cli
