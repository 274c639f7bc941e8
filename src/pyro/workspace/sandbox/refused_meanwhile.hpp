// What the gateway of a sandbox whose egress is a list refused while something ran inside, so that who sees
// it fail is told why.
#pragma once

#include <pyro/backend/control_client.hpp>
#include <pyro/base/error.hpp>
#include <pyro/base/redactor.hpp>
#include <pyro/workspace/context/requests.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace pyro::workspace {

class RefusedMeanwhile {
public:
  enum class Egress { list, other };

  /// From now on. Of `other` nothing is known. `client` outlives it.
  RefusedMeanwhile(backend::ControlClient& client, Egress egress);

  /// Up to now, of whoever inside: services as well. Without secrets.
  RefusedConnections so_far(const Redactor& redactor) const;
  /// The same as a sentence of the error: nothing where nothing was refused.
  void explain(Error& error, const Redactor& redactor) const;

private:
  backend::ControlClient& m_client;
  std::optional<std::uint64_t> m_since; // nullopt: nobody counts
};

/// Of an `egress` as records and specs have it.
RefusedMeanwhile::Egress egress_kind(const std::string& egress);
RefusedMeanwhile::Egress egress_kind(const std::vector<std::string>& rules);

/// For people, without a full stop; "" where nothing was refused: which hosts and why, what to add to
/// network.egress, and where to see all.
std::string refusal_text(const RefusedConnections& refused);

} // namespace pyro::workspace
