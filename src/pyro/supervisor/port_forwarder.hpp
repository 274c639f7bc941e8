// Published ports: listens on this machine and carries every connection through the agent, so that it works
// whatever the isolation is. Ends with the supervisor.
#pragma once

#include <pyro/base/json_access.hpp>
#include <pyro/os/event_loop.hpp>
#include <pyro/protocol/session.hpp>

#include <map>
#include <memory>
#include <string>

namespace pyro::supervisor {

class PortForwarder {
public:
  PortForwarder(os::EventLoop& loop, protocol::Session& agent);
  ~PortForwarder();

  /// `ports` is all there is to be: [{service, address, host_port (0: a free one), fixed, port}]. A port that
  /// is not fixed and taken becomes a free one. Returns the list with the host ports that are listened at; on
  /// failure what was there before stays.
  Json set(const Json& ports);

private:
  struct Listener;
  struct Connection;

  std::unique_ptr<Listener> listen(const Json& port);
  void accept(Listener& listener);
  void drop(Connection* connection);

  os::EventLoop& m_loop;
  protocol::Session& m_agent;
  std::map<std::string, std::unique_ptr<Listener>> m_listeners; // by what was asked for
  std::map<Connection*, std::unique_ptr<Connection>> m_connections;
};

} // namespace pyro::supervisor
