// Passes a stream on, byte by byte, both ways: how the supervisor lets its clients talk to the agent.
//
//   router.add_prefix("/agent/", [&](Stream client, const std::string& path) {
//     return proxy_stream(client, agent_session, path.substr(6));
//   });
#pragma once

#include "session.hpp"

#include <string>

namespace pyro::protocol {

/// Opens `path` at `upstream` and returns the events of `downstream` (a stream of a server). A slow reader on
/// one side slows just its own sender; ends are passed on as ends, cancels as cancels, a lost upstream as
/// `lost`. Throws unavailable when upstream is dead or full. Neither session must know of the other.
StreamEvents proxy_stream(Stream downstream, Session& upstream, const std::string& path);

} // namespace pyro::protocol
