#include <pyro/base/error.hpp>
#include <pyro/cli/commands.hpp>
#include <pyro/cli/render_parts.hpp>
#include <pyro/cli/session.hpp>

#include <fmt/format.h>

namespace pyro::cli {

namespace port_forward_command {

namespace {

constexpr std::string_view k_page = R"(
Carries connections from ports of 127.0.0.1 on this machine to ports inside the workspace, published or not, until
Ctrl-C or the end of the sandbox. A service stands for the port that the file names for it: that of `ports`, else that of
its probes. Without LOCAL (or with 0) it is a free port of this machine; which one is said. With --json one line for the
ports, then one for each connection that could not be carried.

Examples:
  pyro port-forward web
  pyro port-forward 5433:db 8080:80
  pyro port-forward -w shop 5432 --json
)";

constexpr std::array k_operands{
    Operand{"[LOCAL:]SERVICE_OR_PORT", Count::many, "A port here, and what it leads to inside"}};

void show_ports(Session& session, const Json& ports, bool is_json) {
  if (is_json) {
    session.show_json_line({{"ports", ports}});
    return;
  }
  for (const auto& port : ports) {
    const auto service = text_at(port, "service");
    session.show_line(fmt::format(
        "{}:{} -> {}port {} inside", text_at(port, "address"), text_at(port, "host_port"),
        service.empty() ? "" : service + ", ", text_at(port, "port")));
  }
}

int run(Session& session) {
  const auto& wanted = session.arguments().operands;
  if (wanted.empty()) {
    throw Error(ErrorCode::usage, "port-forward needs a service or a port")
        .with_hint("pyro port-forward [LOCAL:]SERVICE_OR_PORT…; `pyro ps` lists services");
  }
  const bool is_json = session.format() == Format::json || session.format() == Format::jsonl;
  operations::ForwardSinks sinks;
  sinks.listening = [&](const Json& ports) {
    show_ports(session, ports, is_json);
  };
  sinks.refused = [&](int port, const std::string& why) {
    const Json refused{{"refused", {{"port", port}, {"reason", why}}}};
    if (is_json) {
      session.show_json_line(refused);
    } else {
      session.note(fmt::format(
          "refused: a connection to port {} inside: {}", port, text_at(refused["refused"], "reason")));
    }
  };
  session.engine().forward_ports(session.where(), wanted, std::move(sinks));
  return 0;
}

} // namespace

} // namespace port_forward_command

constinit const Command k_port_forward{
    .name = "port-forward",
    .summary = "Reach ports inside from this machine, until Ctrl-C",
    .page = port_forward_command::k_page,
    .run = port_forward_command::run,
    .operands = port_forward_command::k_operands,
};

} // namespace pyro::cli
