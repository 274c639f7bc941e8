// /services/logs: what is in a service's log, and with `follow` what comes.
#pragma once

#include "runtime.hpp"
#include "service_log.hpp"

#include <pyro/protocol/call.hpp>
#include <pyro/protocol/service_requests.hpp>

#include <memory>

namespace pyro::agent {

class LogCall {
public:
  /// The log may go away before the call does. A follower that reads too slowly is told how much it has
  /// missed.
  static void start(
      Runtime& runtime, const std::shared_ptr<protocol::Call>& call, const protocol::ServicesLogs& wanted,
      ServiceLog& log);
};

} // namespace pyro::agent
