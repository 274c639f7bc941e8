#include "network_policy.hpp"

#include <pyro/base/error.hpp>

namespace pyro::workspace {

void check_network_policy(const std::string& policy) {
  if (!policy.empty() && policy != "off" && policy != "egress") {
    throw Error(ErrorCode::invalid_argument, "network_policy must be one of: off, egress");
  }
}

void refuse_policy(const backend::Backend& backend, const std::string& policy) {
  const auto capabilities = backend.capabilities();
  if (policy == "off" && !capabilities.own_root) {
    throw Error(ErrorCode::unavailable, "backend '{}' cannot keep the network off", backend.name())
        .with_hint("leave network_policy out to agree to this machine's network");
  }
  if (policy == "egress" && !capabilities.egress) {
    throw Error(ErrorCode::unavailable, "backend '{}' cannot give network access here", backend.name())
        .with_hint("apt install passt (the program 'pasta'), or leave the network off");
  }
}

void set_egress(backend::LaunchSpec& spec, const spec::Egress& egress) {
  spec.egress = egress.kind != spec::EgressKind::none;
  spec.egress_rules = egress.hosts;
}

} // namespace pyro::workspace
