// What was asked for and what became of it, as records for the supervisor. What repeats itself is counted, so
// that nobody inside fills the log.
#pragma once

#include <pyro/base/json_access.hpp>
#include <pyro/os/event_loop.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <string>

namespace pyro::gateway {

enum class Verdict { allowed, denied, failed };

struct Access {
  Verdict verdict = Verdict::denied;
  std::string protocol; // "tls", "https" (opened), "http", "tcp", "udp", "dns"
  std::string host;     // a name, or an address
  std::uint16_t port = 0;
  std::string address;    // that a name had; empty: it was not asked for one
  std::string rule;       // that allowed it
  std::string reason;     // why not, what went wrong, or which secret was put in
  std::string allow = {}; // of `denied`: the line of network.egress that is missing, where that is all

  auto operator<=>(const Access&) const = default;
};

/// {"verdict", "protocol", "host", "port", "address", "rule", "reason", "allow", "count"}; empty texts are
/// left out.
Json to_json(const Access& access, std::uint64_t count);

class AccessLog {
public:
  using Write = std::function<void(const Json& record)>;

  AccessLog(os::EventLoop& loop, Write write) : m_loop(loop), m_write(std::move(write)) {}

  /// Written at once the first time in a second; what comes again in it, at its end with its count.
  void add(const Access& access);
  /// What is held back, now.
  void flush();

private:
  os::EventLoop& m_loop;
  Write m_write;
  std::map<Access, std::uint64_t> m_again; // since the last flush, beyond the first
  std::uint64_t m_left_out = 0;
};

} // namespace pyro::gateway
