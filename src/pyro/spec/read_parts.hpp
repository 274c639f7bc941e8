// The parts of pyro.yaml, one reader each. Internal to spec/; parse.cpp calls them in order.
#pragma once

#include "interpolate.hpp"
#include "reader.hpp"

namespace pyro::spec {

/// vars: needs the tree before interpolation. Resolves values from --var, the host and defaults.
Lookup read_vars(Context& context, const Node& root, const ParseOptions& options, Spec& spec);

void read_secrets(Context& context, MapReader& root, Spec& spec);
/// Those for requests: whether the gateway lets out to their hosts.
void check_request_secrets(const Spec& spec, Context& context);
void read_environment(Context& context, MapReader& root, Spec& spec);
/// The `cache` list of a step. Refuses what would take the place of the system.
void read_caches(Context& context, MapReader& step, std::vector<CacheDirectory>& caches);
/// What only the whole file can tell: caches that would hide the seed. `address`: "environment.setup.",
/// "prepare.".
void check_caches(
    const Spec& spec, const std::vector<Step>& steps, const std::string& address, Context& context);

/// `apt`, `npm` and `pip` of a set-up step, after its other fields: they become its script, its inputs where
/// it has none, and variables that it lacks. Exactly one of them, or `run`.
void read_preset(Context& context, MapReader& reader, Step& step);

void read_seed(Context& context, MapReader& root, Spec& spec);
void read_prepare(Context& context, MapReader& root, Spec& spec);
void read_services(Context& context, MapReader& root, Spec& spec);
void read_policies(Context& context, MapReader& root, Spec& spec);

std::optional<Readiness> read_readiness(Context& context, MapReader& service);
std::optional<Liveness> read_liveness(Context& context, MapReader& service);

/// Defaults that depend on other parts: users, directories, conditions, reset.to.
void resolve_defaults(Spec& spec, Context& context);

/// References, cycles, fields without effect, clashes.
void check_spec(Spec& spec, Context& context);

} // namespace pyro::spec
