#include "told_ports.hpp"

#include "port_carrier.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/os/tcp_socket.hpp>

#include <algorithm>
#include <functional>
#include <set>
#include <thread>

namespace pyro::node {

namespace {

/// Every object of the document that is a port: of `ports` (`port`, `address`) or of a service by hand
/// (`guest_port`, `host`).
void for_each_port(Json& value, const std::function<void(Json& port)>& visit) {
  if (value.is_object() && value.contains("host_port")
      && (value.contains("port") || value.contains("guest_port"))) {
    visit(value);
    return;
  }
  if (value.is_structured()) {
    for (auto& item : value) {
      for_each_port(item, visit);
    }
  }
}

bool is_it(const Json& carried, const Json& told) {
  const auto service = string_or(told, "service", "");
  const auto host_port = int_or(told, "host_port", 0);
  return int_or(carried, "port", 0) == int_or(told, told.contains("port") ? "port" : "guest_port", 0)
         && string_or(carried, "address", "")
                == string_or(told, told.contains("address") ? "address" : "host", "")
         && (service.empty() || service == string_or(carried, "service", ""))
         && (host_port == 0 || host_port == int_or(carried, "host_port", 0));
}

bool has(const Json& list, const Json& told) {
  return std::any_of(list.begin(), list.end(), [&](const Json& one) { return is_it(one, told); });
}

void fill(const CarriedPorts& carried, Json& told) {
  std::set<std::size_t> used; // of several that are alike each has its own
  for_each_port(told, [&](Json& port) {
    std::int64_t number = 0;
    for (std::size_t index = 0; index < carried.ports.size() && number == 0; ++index) {
      if (is_it(carried.ports[index], port) && used.insert(index).second) {
        number = get_int(carried.ports[index], "host_port");
      }
    }
    port["host_port"] = number;
    if (const auto url = string_or(port, "url", ""); !url.empty()) {
      const auto scheme_and_host = url.substr(0, url.rfind(':') + 1);
      port["url"] = number == 0 ? Json() : Json(fmt::format("{}{}/", scheme_and_host, number));
    }
  });
}

} // namespace

std::vector<std::string> published_addresses(const workspace::LoadedProject& project) {
  std::set<std::string> addresses;
  for (const auto& [name, service] : project.spec.services) {
    for (const auto& port : service.ports) {
      addresses.insert(port.address);
    }
  }
  return {addresses.begin(), addresses.end()};
}

void require_free_ports(
    const place::PlacedRecords& records, const place::Placed& placed,
    const workspace::LoadedProject& project) {
  const auto ours = placed.key.empty()
                        ? CarriedPorts{}
                        : maybe_load_carried(carried_ports_path(records, placed)).value_or(CarriedPorts{});
  const bool is_carried = !placed.key.empty() && port_carrier_of(records, placed);
  for (const auto& [name, service] : project.spec.services) {
    for (const auto& port : service.ports) {
      if (!port.host_port
          || (is_carried
              && has(
                  ours.ports,
                  {{"port", port.port}, {"address", port.address}, {"host_port", *port.host_port}}))) {
        continue;
      }
      try {
        os::check_listen_tcp(port.address, *port.host_port);
      } catch (Error& error) {
        throw error.at(project.spec.place("services." + name + ".ports"))
            .with_hint("end what listens there, or publish another port");
      }
    }
  }
}

std::vector<std::string> fill_ports(
    const place::PlacedRecords& records, const place::Placed& placed, const std::string& program,
    std::chrono::milliseconds patience, Json& told) {
  constexpr std::chrono::milliseconds k_pause{20};
  std::vector<std::string> problems;
  bool has_ports = false;
  for_each_port(told, [&](const Json&) { has_ports = true; });
  if (!has_ports) {
    return problems;
  }
  ensure_port_carrier(records, placed, program);
  const auto path = carried_ports_path(records, placed);
  const auto deadline = os::now_monotonic() + patience;
  CarriedPorts carried;
  while (true) {
    carried = maybe_load_carried(path).value_or(CarriedPorts{});
    // Of the lease before this one, or of a carrier that has ended: nobody listens there.
    if (carried.job_id != placed.job_id || carried.process != port_carrier_of(records, placed)) {
      carried.ports = Json::array();
      carried.problems = Json::array();
    }
    bool is_all_told = true;
    for_each_port(told, [&](const Json& port) {
      is_all_told = is_all_told && (has(carried.ports, port) || has(carried.problems, port));
    });
    if (is_all_told || os::now_monotonic() >= deadline) {
      break;
    }
    std::this_thread::sleep_for(k_pause);
  }
  fill(carried, told);
  for (const auto& problem : carried.problems) {
    problems.push_back(get_string(problem, "why"));
  }
  return problems;
}

} // namespace pyro::node
