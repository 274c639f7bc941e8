// A resolver of a machine's own, at 127.0.0.53 as systemd-resolved has it.
#pragma once

#include <pyro/os/fd.hpp>

#include <thread>

namespace pyro::testing {

/// Every name is 198.51.100.77. Listens in the network namespace of the caller, who must be root there.
class Resolver {
public:
  Resolver();
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

private:
  void serve();

  os::Fd m_socket;
  os::Fd m_stop;
  std::thread m_thread;
};

} // namespace pyro::testing
