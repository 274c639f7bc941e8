// What the agent is asked about one service.
#pragma once

#include <pyro/backend/control_client.hpp>
#include <pyro/protocol/service_requests.hpp>
#include <pyro/workspace/context/context.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pyro::workspace {

/// Until it is ready or has failed; one that failed is waited for until its process is gone, so that it can
/// be started again at once. Throws Error(interrupted) as context.check_interrupted() does; the service goes
/// on.
protocol::ServiceStatus
wait_for_service(const Context& context, backend::ControlClient& client, const std::string& name);

/// Returns once it is stopped.
protocol::ServiceStatus stop_service(backend::ControlClient& client, const std::string& name);

struct ServiceLogs {
  struct Line {
    bool is_error = false;   // of its standard error
    std::string text;        // without the newline
    std::uint64_t begin = 0; // in all that the service ever wrote: bytes before it
  };

  std::vector<Line> lines;
  bool truncated = false; // there were more lines

  /// One of the two streams.
  std::string text_of(bool is_error) const;
  /// Only the last lines of these.
  void keep_last(std::size_t count);
  /// Only those that begin before that place.
  void keep_before(std::uint64_t place);
  /// For keep_before(), where there are lines before these that are `kept`; nullopt: these are the first.
  std::optional<std::uint64_t> place_before(const std::vector<Line>& kept) const;
};

/// All lines of both streams together that are kept. Error(timeout) after `limit`: the agent has them at
/// hand.
ServiceLogs read_service_logs(
    backend::ControlClient& client, const std::string& name,
    std::chrono::milliseconds limit = std::chrono::seconds(15));

} // namespace pyro::workspace
