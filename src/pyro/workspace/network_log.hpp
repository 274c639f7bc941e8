// What a workspace asked of the network, where its egress is a list: the records of its gateway, which
// its supervisor wrote down (supervisor/supervisor.hpp), told and counted.
#pragma once

#include <pyro/workspace/context/requests.hpp>

#include <string>

namespace pyro::workspace {

struct Context;

struct NetworkLogRequest {
  std::int64_t tail = 100; // of the records; counted are all
  bool denied = false;     // only those that were refused or failed
};

/// {"workspace_id", "name", "egress": the list now, "records": [{at, verdict, protocol, host, port, address,
/// rule, reason, count}] oldest first, "hosts": [{host, port, allowed, denied, failed, last_at, rule,
/// reason}] the last asked for first, "proposal": the list that would allow all that was asked for by name}.
Json network_log(
    Context& context, const std::string& workspace, const Project& project, const NetworkLogRequest& request);

} // namespace pyro::workspace
