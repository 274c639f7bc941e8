// How a service started by hand is known to be ready, as callers write it, as a probe of the agent. Pure.
#pragma once

#include <pyro/base/json_access.hpp>
#include <pyro/protocol/service_requests.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace pyro::workspace {

/// {type: file, path} (below `root` unless absolute) | {type: tcp, address: HOST:PORT} | {type: http, url}
/// (2xx–3xx) | {type: command, command} (exit 0) | {type: log, pattern (an extended regular expression) or
/// text}. Null: none. Throws Error(invalid_argument).
std::optional<protocol::Probe> readiness_probe(
    const Json& readiness, const std::string& root, std::int64_t timeout_seconds, std::int64_t interval_ms);

} // namespace pyro::workspace
