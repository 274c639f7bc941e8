// Ports of a running workspace on 127.0.0.1 of this machine for as long as somebody wants, published or not.
// For those that the file publishes see service_control.hpp.
#pragma once

#include <pyro/workspace/context/requests.hpp>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pyro::workspace {

struct Context;

/// "[LOCAL:]SERVICE_OR_PORT"
struct WantedForward {
  int local_port = 0;  // on this machine; 0: a free one
  std::string service; // empty: `port` it is
  int port = 0;        // inside
};

/// Throws Error(usage) for what is no port, Error(invalid_argument) for what can be no name of a service.
WantedForward parse_forward(std::string_view text);

struct ForwardSinks {
  /// Where it is there, nothing is listened at: it gets [{service or null, port, host_port as it was asked
  /// for}], for whoever carries them, and forward_ports() returns.
  std::function<void(const Json& ports)> targets;
  /// Once they are listened at: [{service or null, port, address, host_port}], in the order asked for.
  std::function<void(const Json& ports)> listening;
  /// A connection could not be carried: to which port inside, and why not.
  std::function<void(int port, const std::string& why)> refused;
  std::function<bool()> interrupted; // polled; true ends it
};

/// Carries connections until it is interrupted. A service stands for its one port in the file (of `ports`,
/// else of its probes), or that it was started with by hand. Error(not_found) for a service that is not
/// there, Error(invalid_argument) for one with several ports or none, Error(already_exists) for a port of
/// this machine that is taken, Error(bad_state) at the end of the sandbox.
void forward_ports(
    Context& context, const std::string& workspace, const Project& project,
    const std::vector<std::string>& wanted, const ForwardSinks& sinks);

} // namespace pyro::workspace
