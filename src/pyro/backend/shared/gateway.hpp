// The way out of a sandbox whose egress is a list: a network with nothing but a gateway in it, and the
// program pyro-gateway that takes what comes there (gateway/gateway.hpp, docs/decisions/0073). Sandboxes of
// every kind that have a network namespace get the same.
#pragma once

#include "egress.hpp"

#include <pyro/base/json_access.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/os/process.hpp>

#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace pyro::backend {

class Gateway {
public:
  Gateway() = default;
  /// Makes the network and starts `program`; when it returns, what `rules` allow can be reached. It ends with
  /// this object, or with the process.
  Gateway(SandboxNamespaces namespaces, const std::string& program, const std::vector<std::string>& rules);

  explicit operator bool() const { return m_control.valid(); }

  /// Other rules, from its return on; connections that they do not allow end.
  void set_rules(const std::vector<std::string>& rules);

  /// Secrets that it puts into requests from its return on, as gateway/request_secrets.hpp reads them; they
  /// take the place of those before. Returns the certificate (PEM) of the authority that vouches for their
  /// hosts inside, the same for as long as this lives. Real servers must have a certificate that this machine
  /// trusts: by SSL_CERT_FILE, where it is set.
  std::string set_secrets(const Json& secrets);

  /// Readable when take_record() has something to say.
  int descriptor() const { return m_control.get(); }

  /// What happened up to its call can be taken when it returns.
  void settle();

  /// What happened next: {"access"} as gateway/access_log.hpp writes it, or {"traffic"} as
  /// gateway/traffic.hpp does; null: nothing more now. Throws Error(failed) where the program has ended:
  /// nothing is reached any more.
  Json take_record();

private:
  std::vector<std::uint16_t> new_ports(const std::vector<std::string>& rules) const;
  Json await_ready();
  Json receive();

  SandboxNamespaces m_namespaces;
  os::Fd m_network; // the namespace at the other end of the cable
  os::Child m_program;
  os::Fd m_control;
  std::set<std::uint16_t> m_ports; // that somebody listens at
  std::deque<Json> m_records;      // that came while an answer was awaited
};

} // namespace pyro::backend
