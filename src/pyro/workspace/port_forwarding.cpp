#include "port_forwarding.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/safe_text.hpp>
#include <pyro/base/text.hpp>
#include <pyro/spec/applied_spec.hpp>
#include <pyro/workspace/context/context.hpp>
#include <pyro/workspace/state/locate.hpp>
#include <pyro/workspace/state/service_records.hpp>

#include <algorithm>

namespace pyro::workspace {

namespace {

constexpr std::size_t k_most_forwards = 64;
constexpr std::chrono::milliseconds k_look_for_interrupt{100};

std::optional<int> port_number(std::string_view text, int least) {
  const auto port = whole_number<int>(text);
  return port && *port >= least && *port <= 65535 ? port : std::nullopt;
}

/// Inside, of a service that is there.
std::set<int> ports_of_service(
    const store::WorkspacePaths& paths, const store::WorkspaceRecord& record, const std::string& name) {
  const auto applied = spec::applied_spec(record.spec);
  if (std::find(applied.services.begin(), applied.services.end(), name) != applied.services.end()) {
    const auto known = applied.service_ports.find(name);
    return known == applied.service_ports.end() ? std::set<int>{} : known->second;
  }
  const auto by_hand = ServiceRecords(paths, record).find(name);
  if (!by_hand) {
    throw Error(ErrorCode::not_found, "{} has no service {}", record.name, name)
        .with_hint("`pyro ps` lists those it has; a number is a port inside");
  }
  std::set<int> ports;
  for (const auto& port : by_hand->value("published_ports", Json::array())) {
    ports.insert(static_cast<int>(get_int(port, "guest_port")));
  }
  return ports;
}

int port_of_service(
    const store::WorkspacePaths& paths, const store::WorkspaceRecord& record, const std::string& name) {
  const auto ports = ports_of_service(paths, record, name);
  if (ports.size() == 1) {
    return *ports.begin();
  }
  std::string list;
  for (const auto port : ports) {
    list += fmt::format("{}{}", list.empty() ? "" : ", ", port);
  }
  throw Error(
      ErrorCode::invalid_argument, "{}",
      ports.empty() ? fmt::format("nothing says at which port {} listens", name)
                    : fmt::format("{} has several ports: {}", name, list))
      .with_hint("give the port inside instead of the service");
}

} // namespace

WantedForward parse_forward(std::string_view text) {
  WantedForward wanted;
  auto target = text;
  if (const auto colon = text.find(':'); colon != std::string_view::npos) {
    const auto local = port_number(text.substr(0, colon), 0);
    if (!local) {
      throw Error(
          ErrorCode::usage, "'{}' is no port of this machine (0 to 65535)",
          escape_controls(text.substr(0, colon)));
    }
    wanted.local_port = *local;
    target = text.substr(colon + 1);
  }
  const bool is_number = !target.empty() && std::all_of(target.begin(), target.end(), [](char c) {
    return c >= '0' && c <= '9';
  });
  if (is_number) {
    const auto port = port_number(target, 1);
    if (!port) {
      throw Error(ErrorCode::usage, "'{}' is no port (1 to 65535)", target);
    }
    wanted.port = *port;
    return wanted;
  }
  wanted.service = target;
  check_service_name(wanted.service);
  return wanted;
}

void forward_ports(
    Context& context, const std::string& workspace, const Project& project,
    const std::vector<std::string>& wanted, const ForwardSinks& sinks) {
  context.base.prepare();
  if (wanted.empty() || wanted.size() > k_most_forwards) {
    throw Error(
        ErrorCode::invalid_argument, "{} ports to forward: it can be 1 to {}", wanted.size(),
        k_most_forwards);
  }
  std::vector<WantedForward> forwards;
  std::transform(wanted.begin(), wanted.end(), std::back_inserter(forwards), parse_forward);
  const auto located = locate(context, workspace, project);
  const auto running = connect_running(context, located.id, "port-forward");
  const store::WorkspacePaths paths(context.base, located.id);
  Json ports = Json::array();
  for (auto& forward : forwards) {
    if (!forward.service.empty()) {
      forward.port = port_of_service(paths, running.record, forward.service);
    }
    ports.push_back({{"guest_port", forward.port}, {"host_port", forward.local_port}});
  }

  if (sinks.targets) {
    Json targets = Json::array();
    for (const auto& forward : forwards) {
      targets.push_back(
          {{"service", or_null(forward.service)}, {"port", forward.port}, {"host_port", forward.local_port}});
    }
    sinks.targets(targets);
    return;
  }
  std::optional<Error> failure;
  protocol::CallEvents events;
  events.on_message = [&](const Json& frame) {
    if (const auto refused = frame.find("refused"); refused != frame.end()) {
      sinks.refused(static_cast<int>(get_int(*refused, "port")), get_string(*refused, "reason"));
      return;
    }
    Json told = Json::array();
    const auto& listened = value_at(frame, "ports");
    for (std::size_t index = 0; index < forwards.size() && index < listened.size(); ++index) {
      const auto& one = listened[index];
      told.push_back(
          {{"service", or_null(forwards[index].service)},
           {"port", get_int(one, "guest_port")},
           {"address", get_string(one, "host")},
           {"host_port", get_int(one, "host_port")}});
    }
    sinks.listening(told);
  };
  events.on_failure = [&](const Error& error) {
    failure = error;
  };
  const auto call = running.client->open("/ports/forward", {{"ports", ports}}, std::move(events));
  while (!failure) {
    if (sinks.interrupted && sinks.interrupted()) {
      call->cancel();
      running.client->loop().turn(std::chrono::milliseconds(0));
      return;
    }
    running.client->loop().turn(k_look_for_interrupt);
  }
  throw *failure;
}

} // namespace pyro::workspace
