#include "way_out.hpp"

#include "egress_guard.hpp"
#include "guest_description.hpp"

#include <pyro/egress/gateway_addresses.hpp>

#include <fmt/format.h>

namespace pyro::backend {

WayOut open_way_out(SandboxNamespaces namespaces, const LaunchSpec& spec) {
  WayOut way;
  if (!spec.egress) {
    return way;
  }
  if (spec.egress_rules.empty()) {
    way.tether = start_egress(namespaces);
  } else {
    way.gateway = Gateway(std::move(namespaces), spec.gateway_path, spec.egress_rules);
  }
  return way;
}

std::string resolv_conf_inside(const LaunchSpec& spec) {
  if (!spec.egress) {
    return "";
  }
  return spec.egress_rules.empty() ? resolver_for_sandbox(resolver_configuration()).resolv_conf
                                   : fmt::format("nameserver {}\n", egress::k_gateway_address);
}

} // namespace pyro::backend
