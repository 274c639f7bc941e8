// Real addresses of names, asked of this machine's name servers and hosts file (c-ares), and kept as long as
// their owners allow.
#pragma once

#include <pyro/base/destination.hpp>
#include <pyro/os/event_loop.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace pyro::gateway {

struct Resolved {
  enum class Status { found, no_such_name, failed };
  Status status = Status::failed;
  std::vector<Destination> addresses; // in the order in which to try them
  std::string trouble;                // of `failed`
};

class Resolver {
public:
  using Callback = std::function<void(const Resolved& resolved)>;

  /// `servers`: "127.0.0.1:5353,9.9.9.9"; empty: those of /etc/resolv.conf.
  Resolver(os::EventLoop& loop, const std::string& servers);
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  /// Calls back in a later turn of the loop, or at once where the answer is kept.
  void resolve(const std::string& name, Callback callback);

private:
  struct Impl;
  std::unique_ptr<Impl> m_impl;
};

} // namespace pyro::gateway
