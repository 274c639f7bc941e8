// Ports of this machine that a spec wants: whether they can be had is known before anything is done.
#pragma once

#include <pyro/backend/control_client.hpp>
#include <pyro/spec/spec.hpp>
#include <pyro/store/layout.hpp>

#include <optional>
#include <string>
#include <vector>

namespace pyro::workspace {

struct Context;

/// What the supervisor has published; nullopt: an older one, which does not tell.
std::optional<Json> published_ports(backend::ControlClient& client);
/// The same where a sandbox may run; nullopt also: none does.
std::optional<Json> published_ports_if_any(const store::WorkspacePaths& paths);

struct BlockedPort {
  std::string service;
  spec::Port port;
  std::string why;
};

/// Those with a host port of their own at which somebody else listens; another workspace is named.
/// `published`: ours.
std::vector<BlockedPort>
blocked_ports(const Context& context, const spec::Spec& spec, const std::optional<Json>& published);

} // namespace pyro::workspace
