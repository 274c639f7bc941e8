// How a sandbox with a network of its own reaches others: everything but this machine, or a list.
#pragma once

#include "egress.hpp"
#include "gateway.hpp"

#include <pyro/backend/launch_spec.hpp>

#include <string>

namespace pyro::backend {

/// What keeps it open; at most one of the two is there.
struct WayOut {
  os::Fd tether; // closing it ends pasta
  Gateway gateway;

  /// nullptr: it is another way, or none.
  Gateway* gateway_if_any() { return gateway ? &gateway : nullptr; }
};

/// None where the sandbox is to reach nothing.
WayOut open_way_out(SandboxNamespaces namespaces, const LaunchSpec& spec);

/// /etc/resolv.conf inside; to be called in this machine's network namespace.
std::string resolv_conf_inside(const LaunchSpec& spec);

} // namespace pyro::backend
