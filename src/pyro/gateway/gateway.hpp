// The way out of one workspace: its name server, and who takes its connections. It lives in a process of its
// own, on this machine, with sockets of the workspace's network; the supervisor tells it the policy and hears
// what happened.
#pragma once

#include "common.hpp"
#include "connection.hpp"
#include "name_server.hpp"
#include "refused_packets.hpp"

#include <pyro/os/fd.hpp>

#include <map>
#include <memory>

namespace pyro::gateway {

/// Messages of the supervisor, with descriptors:
/// first {"rules", "name_servers", "ports"}, [datagrams, listener of the name server, packets, listeners at
/// "ports"]; later {"rules", "ports"}, [listeners at "ports", which are new], or {"secrets"} as
/// request_secrets.hpp reads them, [a bundle of authorities for real servers, or none for this machine's], or
/// {"settle"}: what happened so far is told before the answer.
/// Messages to it: {"ready": true}, after secrets {"ready": true, "authority": certificate}, and records of
/// access_log.hpp as {"access": …} and of traffic.hpp as {"traffic": …}.
class Gateway {
public:
  explicit Gateway(os::Fd supervisor);

  /// Until the supervisor is gone.
  void run();

private:
  void on_message();
  void begin(const Json& message, std::vector<os::Fd> sockets);
  void set_policy(const Json& message, std::vector<os::Fd> listeners);
  void set_secrets(const Json& message, const std::vector<os::Fd>& bundle);
  void accept(int listener, std::uint16_t port);
  void refuse_one_more(const os::Fd& client, std::uint16_t port);
  void take(os::Fd client, std::uint16_t port);
  void settle();
  bool tell(const Json& message);

  os::Fd m_supervisor;
  bool m_is_answering = false;
  std::size_t m_most_connections;
  os::EventLoop m_loop;
  egress::Policy m_policy;
  GivenAddresses m_given;
  Reach m_reach;
  AccessLog m_log;
  Traffic m_traffic;
  Opening m_opening;
  std::unique_ptr<Resolver> m_resolver; // with the first message
  std::unique_ptr<Common> m_common;
  std::map<std::uint16_t, os::Fd> m_listeners;
  std::unique_ptr<NameServer> m_names;
  std::unique_ptr<RefusedPackets> m_packets;
  std::map<Connection*, std::unique_ptr<Connection>> m_connections;
};

} // namespace pyro::gateway
