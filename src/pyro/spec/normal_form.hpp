// The effective spec as JSON: defaults filled, sorted, no positions, no variables, no profiles. Two files
// that mean the same give equal JSON, so this is what is recorded as "last applied" and what config digests
// are made of.
#pragma once

#include "spec.hpp"

#include <pyro/base/json_access.hpp>
#include <pyro/base/sha256.hpp>

namespace pyro::spec {

Json normal_form(const Spec& spec);

/// SHA-256 of the normal form: `config_digest` of a plan.
HexDigest spec_digest(const Spec& spec);

/// A service as the agent needs it, inherited values resolved: command (argv), user, workdir, env, env_file,
/// secrets, oneshot, depends_on, readiness, liveness, restart, max_restarts, timeout, stop, ports, hint.
/// Durations are milliseconds.
Json service_definition(const Service& service, const Environment& environment);

/// The same for a probe alone ({"kind": "http", "port": 8080, …, "timeout_ms": …}).
Json readiness_json(const Readiness& readiness);
Json liveness_json(const Liveness& liveness);

} // namespace pyro::spec
