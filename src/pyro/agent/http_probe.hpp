// Probes over the network: tcp connects, http asks for one page, judges the status and reads the rest,
// bounded. Without a client library, for the agent has to stay small; redirects are not followed.
#pragma once

#include "probe_attempt.hpp"

namespace pyro::agent {

/// For ProbeKind::tcp and ProbeKind::http; same rules as start_attempt(). Where somebody else than the
/// service listens (listeners.hpp) it fails.
std::unique_ptr<ProbeAttempt> start_network_attempt(
    Runtime& runtime, const protocol::Probe& probe, const std::string& service, ProbeAttempt::Done done);

/// 200 for "HTTP/1.1 200 OK\r\n..."; 0 for what is no complete status line yet, -1 for what never will be
/// one.
int parse_status_line(std::string_view text);

} // namespace pyro::agent
