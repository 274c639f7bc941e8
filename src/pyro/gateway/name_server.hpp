// The name server of a workspace: it knows the names that the policy allows and no others, and answers with
// addresses of its own making. Nothing that is asked leaves the machine for a name that the policy does not
// know.
#pragma once

#include "common.hpp"
#include "dns_message.hpp"

#include <pyro/os/fd.hpp>

#include <functional>
#include <map>
#include <memory>
#include <string>

namespace pyro::gateway {

class NameServer {
public:
  /// Sockets of UDP, and of TCP that listens.
  NameServer(Common& common, os::Fd datagrams, os::Fd listener);
  ~NameServer();
  NameServer(const NameServer&) = delete;
  NameServer& operator=(const NameServer&) = delete;

  /// Questions that wait.
  void read();

private:
  struct Client;
  using Reply = std::function<void(const std::string& message)>;

  void read_datagrams();
  void accept_clients();
  void read_client(int socket);
  void answer(std::string_view message, const Reply& reply);
  void answer_name(const DnsQuestion& question, const std::string& name, const Reply& reply);

  Common& m_common;
  os::Fd m_datagrams;
  os::Fd m_listener;
  std::map<int, std::shared_ptr<Client>> m_clients;
};

} // namespace pyro::gateway
