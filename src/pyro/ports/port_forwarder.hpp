// Ports of this machine that lead inside: listens and carries every connection through the agent, so that it
// works whatever the isolation is. It is the supervisor's, or, of a workspace on another node, that of a
// process on the machine where it is used (docs/decisions/0087).
#pragma once

#include <pyro/base/json_access.hpp>
#include <pyro/os/event_loop.hpp>
#include <pyro/protocol/session.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace pyro::ports {

/// Of a sandbox on a node nobody listens there: the list is kept for whoever carries the ports elsewhere.
enum class Listens { yes, no };

class PortForwarder {
public:
  /// `prefix`: of the agent's paths in that session.
  PortForwarder(
      os::EventLoop& loop, protocol::Session& agent, std::string prefix = {}, Listens listens = Listens::yes);
  ~PortForwarder();

  /// `ports` is all there is to be: [{service, address, host_port (0: a free one), fixed, port}]. A port that
  /// is not fixed and taken becomes a free one. Returns the list with the host ports that are listened at; on
  /// failure what was there before stays.
  Json set(const Json& ports);

  /// What set() published: its list, with the host ports that are listened at.
  Json published() const;
  /// The same, and what publish() published.
  Json all() const;

  /// Called whenever all() has changed.
  void on_change(std::function<void()> changed) { m_changed = std::move(changed); }

  /// One more service's ports, which set() leaves alone: [{guest_port, host_port (0: a free one)}], on
  /// 127.0.0.1. All of them or, with an error, none. Returns them with the host ports that are listened at.
  Json publish(const std::string& service, const Json& ports);
  /// Its listeners are gone; connections end with the service.
  void withdraw(const std::string& service);

  /// Of each connection that could not be carried: to which port inside, and why not.
  using Refused = std::function<void(int port, const std::string& why)>;

  /// Of those to a port that set() published.
  void on_refused(Refused refused) { m_refused = std::move(refused); }

  struct Forward {
    std::uint64_t id = 0;
    Json ports; // as publish() returns them
  };

  /// Ports inside for one caller, whichever services they are of: as publish() takes them, until
  /// end_forward().
  Forward forward(const Json& ports, const Refused& refused);
  /// Its listeners and its connections are gone.
  void end_forward(std::uint64_t id);

  bool has_connections() const { return !m_connections.empty(); }

private:
  struct Listener;
  struct Connection;

  std::unique_ptr<Listener> listen(const Json& port);
  std::vector<std::unique_ptr<Listener>> listen_all(const std::string& service, const Json& ports);
  static Json published_by(const std::vector<std::unique_ptr<Listener>>& listeners);
  void watch(Listener& listener);
  void accept(Listener& listener);
  void drop(Connection* connection);
  void tell_change() const;

  os::EventLoop& m_loop;
  protocol::Session& m_agent;
  const std::string m_prefix;
  const Listens m_listens;
  std::function<void()> m_changed;
  Refused m_refused;
  std::map<std::string, std::unique_ptr<Listener>> m_listeners;            // by what was asked for
  std::map<std::string, std::vector<std::unique_ptr<Listener>>> m_by_hand; // by service
  std::map<std::uint64_t, std::vector<std::unique_ptr<Listener>>> m_forwards;
  std::uint64_t m_last_forward = 0;
  std::map<Connection*, std::unique_ptr<Connection>> m_connections;
};

} // namespace pyro::ports
