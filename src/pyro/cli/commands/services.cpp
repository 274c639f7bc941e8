// ps, ports, restart and wait: the services of a workspace. `workspace service …` starts and stops those by
// hand.
#include <pyro/base/error.hpp>
#include <pyro/cli/commands.hpp>
#include <pyro/cli/plan_flags.hpp>
#include <pyro/cli/render.hpp>
#include <pyro/cli/session.hpp>

namespace pyro::cli {

namespace services_command {

namespace {

constexpr std::string_view k_ps_page = R"(
Lists the services of the workspace, those started by hand too: state, process, since when, ports on this machine.

Examples:
  pyro ps
  pyro ps --json | jq -r '.services[] | select(.state != "ready") | .name'
)";

constexpr std::string_view k_ports_page = R"(
Lists the published ports of the workspace (or of one service): service, port inside, and where it is reached on this
machine: a URL where a probe of the service says that it speaks HTTP, else address and port.

Examples:
  pyro ports
  pyro ports web --json | jq -r '.ports[0].url' | xargs curl
)";

constexpr std::string_view k_restart_page = R"(
Stops these services (without a name: all) and starts them again, in the order of depends_on, and waits until they are
ready. Those that say `restart: true` of one of them are restarted with it; the others and all files stay as they are.

Examples:
  pyro restart web
  pyro restart --no-wait
  pyro restart web --dry-run     which others would be restarted with it
)";

constexpr std::string_view k_wait_page = R"(
Waits until the workspace is started and these services (without a name: all) are ready: behind `pyro apply --no-wait`, or
while another pyro is still applying. What will not become ready ends it at once.

With --for it waits also for what does not exist yet, until all of it holds: ready (the workspace with all services),
ready=SERVICE, snapshot=NAME, or absent (there is no workspace any more). Without --timeout: for ever.

Examples:
  pyro apply --no-wait && pyro wait --timeout 2m
  pyro wait db && pyro exec -- ./migrate
  pyro wait --for ready=web --for snapshot=clean --timeout 5m
  pyro wait -w shop --for absent --timeout 1m

Exit status: 0 ready, 6 a service failed, 124 --timeout is over (the message says what was missing), 1 the workspace is
not started.
)";

constexpr std::array k_operands{Operand{"SERVICE", Count::many, "Only these; default: all"}};

constexpr std::array k_ports_operands{Operand{"SERVICE", Count::optional, "Only its ports"}};

constexpr std::array k_restart_options{
    Option{"--no-wait", "", "", "Do not wait until they are ready"},
    k_dry_run,
    Option{"--timeout", "", "DURATION", "For all of it, e.g. 30s"},
};

constexpr std::array k_wait_options{
    Option{
        "--for", "", "WHAT", "ready, ready=SERVICE, absent or snapshot=NAME, whether it is there yet or not",
        "", Repeat::yes},
    Option{"--timeout", "", "DURATION", "No longer than that, e.g. 30s"},
};

Json parameters_of(Session& session) {
  const auto& arguments = session.arguments();
  auto parameters = session.where();
  if (!arguments.operands.empty()) {
    parameters["services"] = arguments.operands;
  }
  if (const auto timeout = arguments.value("timeout"); !timeout.empty()) {
    parameters["timeout"] = timeout;
  }
  return parameters;
}

int run_ps(Session& session) {
  const auto status = session.call("status", session.where());
  Json document = Json::object();
  for (const auto* key : {"workspace_id", "name", "state", "services", "ports"}) {
    document[key] = status.at(key);
  }
  session.show(document, [&](const Json& result) { return render_services(result, session.out_style()); });
  return 0;
}

/// Is it among the services, by hand or not?
bool has_service(const Json& status, const std::string& name) {
  const auto& services = status.at("services");
  return std::any_of(services.begin(), services.end(), [&](const Json& service) {
    return get_string(service, "name") == name;
  });
}

int run_ports(Session& session) {
  const auto& operands = session.arguments().operands;
  const auto status = session.call("status", session.where());
  Json document{
      {"workspace_id", status.at("workspace_id")}, {"name", status.at("name")}, {"ports", Json::array()}};
  if (!operands.empty() && !has_service(status, operands.front())) {
    throw Error(ErrorCode::not_found, "there is no service '{}' in this workspace", operands.front())
        .with_hint("`pyro ps` lists the services");
  }
  for (const auto& port : status.at("ports")) {
    if (operands.empty() || get_string(port, "service") == operands.front()) {
      document["ports"].push_back(port);
    }
  }
  session.show(document, render_ports);
  if (session.format() == Format::text && document["ports"].empty()) {
    session.note(
        get_string(status, "state") == "started" ? "No published ports: `services.NAME.ports` declares them."
                                                 : "It is not started, so nothing listens: `pyro start`.");
  }
  return 0;
}

int run_restart(Session& session) {
  auto parameters = parameters_of(session);
  parameters["wait"] = !session.arguments().has("no-wait");
  add_dry_run(session.arguments(), parameters);
  session.conclude(session.call("restart", parameters), render_restarted);
  return 0;
}

int run_wait(Session& session) {
  auto parameters = parameters_of(session);
  if (const auto conditions = session.arguments().values("for"); !conditions.empty()) {
    parameters["conditions"] = conditions;
  }
  session.conclude(session.call("wait", parameters), render_ready);
  return 0;
}

} // namespace

} // namespace services_command

constinit const Command k_ps{
    .name = "ps",
    .summary = "List the services of a workspace",
    .page = services_command::k_ps_page,
    .run = services_command::run_ps,
};

constinit const Command k_ports{
    .name = "ports",
    .summary = "Show where services are reached on this machine",
    .page = services_command::k_ports_page,
    .run = services_command::run_ports,
    .operands = services_command::k_ports_operands,
};

constinit const Command k_restart{
    .name = "restart",
    .summary = "Restart services",
    .page = services_command::k_restart_page,
    .run = services_command::run_restart,
    .options = services_command::k_restart_options,
    .operands = services_command::k_operands,
};

constinit const Command k_wait{
    .name = "wait",
    .summary = "Wait until services are ready",
    .page = services_command::k_wait_page,
    .run = services_command::run_wait,
    .options = services_command::k_wait_options,
    .operands = services_command::k_operands,
};

} // namespace pyro::cli
