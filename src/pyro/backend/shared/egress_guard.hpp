// What a sandbox with a way out must not reach by it: this machine, under any of its addresses, and what
// clouds tell the machine about itself. pasta would connect to all of that, as any process here can.
#pragma once

#include <pyro/os/fd.hpp>
#include <pyro/os/local_routes.hpp>

#include <set>
#include <string>
#include <vector>

namespace pyro::backend {

/// Addresses at which pasta offers this machine's first name server of that family, on port 53 alone. They
/// are from ranges for documentation, hence nobody's.
inline constexpr const char* k_forwarded_dns = "198.51.100.53";
inline constexpr const char* k_forwarded_dns6 = "2001:db8::53";

struct SandboxResolver {
  std::string resolv_conf;            // for inside
  std::vector<std::string> forwarded; // of the two above; pasta's answers seem to come from there alone then
};

/// From the machine's resolv.conf: where it names a server that a sandbox must not reach (127.0.0.53), the
/// first of that family is forwarded and others like it are left out. To be called in the machine's network
/// namespace.
SandboxResolver resolver_for_sandbox(const std::string& text);

/// Routes in the sandbox's network namespace that keep those destinations inside. Made in the network
/// namespace of the machine; enter() moves the calling process to the sandbox's.
class EgressGuard {
public:
  EgressGuard();

  /// Needs CAP_NET_ADMIN there; when it returns, nothing of this machine can be reached.
  void enter(int network_namespace);
  /// Follows the addresses of this machine until the other end of `tether` closes. Throws what went wrong;
  /// the way out must end then.
  void follow(int tether);

private:
  void apply();

  os::Fd m_changes; // of this machine's addresses
  os::Fd m_outside;
  os::Fd m_inside;
  std::vector<int> m_links;
  std::set<Destination> m_kept;
};

} // namespace pyro::backend
