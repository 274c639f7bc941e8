// What the parts of a gateway share.
#pragma once

#include "access_log.hpp"
#include "given_addresses.hpp"
#include "reach.hpp"
#include "resolver.hpp"
#include "traffic.hpp"

#include <pyro/egress/policy.hpp>
#include <pyro/os/event_loop.hpp>

namespace pyro::gateway {

struct Opening;

/// Outlives them.
struct Common {
  os::EventLoop& loop;
  egress::Policy& policy;
  GivenAddresses& given;
  Resolver& resolver;
  Reach& reach;
  AccessLog& log;
  Traffic& traffic;
  Opening& opening;
};

} // namespace pyro::gateway
