// What the gateway of a sandbox let out and refused since the sandbox was started: counts for each host, and
// the last refusals. Pure, and bounded whatever is asked for inside.
#pragma once

#include <pyro/base/json_access.hpp>

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <utility>

namespace pyro::supervisor {

class NetworkUse {
public:
  /// A record as gateway/access_log.hpp writes it.
  void add_access(const Json& record, double now);
  /// A record as gateway/traffic.hpp writes it.
  void add_traffic(const Json& record);

  /// {"hosts": [{host, port, allowed, denied, failed, sent_bytes, received_bytes, last_at, reason}], the last
  /// asked for first, "others": the same added up of hosts that there was no more room for, null: none}
  Json counts() const;

  /// {"cursor", "refused": [{host, port, protocol, reason, allow, count}], one for each host and port, the
  /// last reason; "more": how many others there were, at most}: what was denied after that cursor. 0: since
  /// the start.
  Json refused_since(std::uint64_t cursor) const;

private:
  struct Counts {
    std::int64_t allowed = 0;
    std::int64_t denied = 0;
    std::int64_t failed = 0;
    std::int64_t sent = 0;
    std::int64_t received = 0;
    double last_at = 0;
    std::string reason;

    void operator+=(const Counts& other);
  };

  using Host = std::pair<std::string, std::int64_t>;

  static Json to_json(const Counts& counts);
  Counts& of(const Json& record);
  void make_room();

  std::map<Host, Counts> m_hosts;
  Counts m_others;
  std::deque<Json> m_refused; // the last ones
  std::uint64_t m_count_of_refused = 0;
};

} // namespace pyro::supervisor
