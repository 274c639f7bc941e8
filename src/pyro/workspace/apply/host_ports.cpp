#include "host_ports.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/tcp_socket.hpp>

#include <set>

namespace pyro::workspace {

std::optional<Json> published_ports(backend::ControlClient& client) {
  constexpr std::chrono::seconds k_limit{5}; // it has them at hand
  const auto status = client.call("/status", Json::object(), k_limit);
  const auto found = status.find("ports");
  return found != status.end() && found->is_array() ? std::optional<Json>(*found) : std::nullopt;
}

std::optional<Json> published_ports_if_any(const store::WorkspacePaths& paths) {
  const auto client = backend::ControlClient::connect(paths.control_socket());
  if (!client) {
    return std::nullopt;
  }
  try {
    return published_ports(*client);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::bad_state && error.code() != ErrorCode::timeout) {
      throw;
    }
    return std::nullopt; // it has ended while we asked (ControlClient::call), or hangs
  }
}

std::vector<BlockedPort> blocked_ports(const spec::Spec& spec, const std::optional<Json>& published) {
  std::set<std::pair<std::string, int>> ours; // address and port on this machine
  for (const auto& item : published.value_or(Json::array())) {
    ours.emplace(get_string(item, "address"), static_cast<int>(get_int(item, "host_port")));
  }
  std::vector<BlockedPort> blocked;
  for (const auto& [name, service] : spec.services) {
    for (const auto& port : service.ports) {
      if (!port.host_port || ours.contains({port.address, *port.host_port})) {
        continue;
      }
      try {
        os::check_listen_tcp(port.address, *port.host_port);
      } catch (const Error& error) {
        blocked.push_back({name, port, error.message()});
      }
    }
  }
  return blocked;
}

} // namespace pyro::workspace
