// Bytes that went out and came in, for each host, as records for the supervisor: what is new once a second.
#pragma once

#include <pyro/base/json_access.hpp>
#include <pyro/os/event_loop.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

namespace pyro::gateway {

class Traffic {
public:
  /// Of one host; what its connections add to.
  struct Bytes {
    std::uint64_t sent = 0;
    std::uint64_t received = 0;
  };

  /// False: it could not be written, and comes again with the next.
  using Write = std::function<bool(const Json& record)>;

  Traffic(os::EventLoop& loop, Write write) : m_loop(loop), m_write(std::move(write)) {}

  /// For a connection, as long as it lives.
  std::shared_ptr<Bytes> of(const std::string& host, std::uint16_t port);
  /// {"host", "port", "sent", "received"} for each that has something new.
  void flush();

private:
  void arm();

  os::EventLoop& m_loop;
  Write m_write;
  std::map<std::pair<std::string, std::uint16_t>, std::shared_ptr<Bytes>> m_hosts;
  bool m_is_armed = false;
};

} // namespace pyro::gateway
