#include "host_ports.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/tcp_socket.hpp>
#include <pyro/workspace/context/context.hpp>
#include <pyro/workspace/sandbox/ask_if_running.hpp>

#include <algorithm>
#include <set>

namespace pyro::workspace {

std::optional<Json> published_ports(backend::ControlClient& client) {
  constexpr std::chrono::seconds k_limit{5}; // it has them at hand
  const auto status = client.call("/status", Json::object(), k_limit);
  const auto found = status.find("ports");
  return found != status.end() && found->is_array() ? std::optional<Json>(*found) : std::nullopt;
}

std::optional<Json> published_ports_if_any(const store::WorkspacePaths& paths) {
  try {
    return ask_if_running(paths.control_socket(), published_ports);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::timeout) {
      throw;
    }
    return std::nullopt; // it hangs
  }
}

namespace {

/// Addresses and ports of this machine.
using Listeners = std::set<std::pair<std::string, int>>;

Listeners listeners_of(const std::optional<Json>& published) {
  Listeners listeners;
  for (const auto& item : published.value_or(Json::array())) {
    listeners.emplace(get_string(item, "address"), static_cast<int>(get_int(item, "host_port")));
  }
  return listeners;
}

/// "the workspace shop (/home/me/shop)"; empty: it is none's.
std::string holder_of(const Context& context, const std::string& address, int host_port) {
  for (const auto& record : context.records.list()) {
    const bool may_have_it =
        record.state == store::WorkspaceState::started
        && std::any_of(record.ports.begin(), record.ports.end(), [&](const store::PublishedPort& port) {
             return port.host_port == host_port;
           });
    const store::WorkspacePaths paths(context.base, record.id);
    if (may_have_it && listeners_of(published_ports_if_any(paths)).contains({address, host_port})) {
      return fmt::format(
          "the workspace {}{}", record.name.empty() ? record.id : record.name,
          record.checkout.empty() ? "" : " (" + record.checkout + ")");
    }
  }
  return "";
}

} // namespace

std::vector<BlockedPort>
blocked_ports(const Context& context, const spec::Spec& spec, const std::optional<Json>& published) {
  std::vector<BlockedPort> blocked;
  if (context.settings.ports_elsewhere) {
    return blocked;
  }
  const auto ours = listeners_of(published);
  for (const auto& [name, service] : spec.services) {
    for (const auto& port : service.ports) {
      if (!port.host_port || ours.contains({port.address, *port.host_port})) {
        continue;
      }
      try {
        os::check_listen_tcp(port.address, *port.host_port);
      } catch (const Error& error) {
        const auto holder = holder_of(context, port.address, *port.host_port);
        blocked.push_back(
            {name, port,
             holder.empty()
                 ? error.message()
                 : fmt::format("port {} of {} is taken by {}", *port.host_port, port.address, holder)});
      }
    }
  }
  return blocked;
}

} // namespace pyro::workspace
