// All that a workspace may reach. Pure: what is asked for comes in, the rule that allows it goes out.
#pragma once

#include "rule.hpp"

#include <set>
#include <string>
#include <vector>

namespace pyro::egress {

/// Why nobody connects to it, or resolves it: "api.example.org:443", "api.example.org".
std::string no_rule_allows(std::string_view what);

class Policy {
public:
  Policy() = default;
  /// As rule_from() reads them; throws what it throws.
  explicit Policy(const std::vector<std::string>& rules);

  /// May the name be resolved: does a rule hold it, whatever the port?
  bool knows(std::string_view host) const;
  /// The rule that allows it; nullptr: none does.
  const Rule* rule_for_name(std::string_view host, std::uint16_t port) const;
  /// Of connections to an address that no name was asked for. "*" holds public addresses only, which the
  /// caller knows.
  const Rule* rule_for_address(const Destination& address, std::uint16_t port, bool is_public) const;
  /// Is the address named itself, by a rule with that port? A name may resolve to an address of this machine
  /// or of a private network only then.
  bool names_address(const Destination& address, std::uint16_t port) const;

  /// Ports that any rule has, with those of HTTP and HTTPS, where whoever is refused can be told why.
  std::set<std::uint16_t> ports() const;

  const std::vector<Rule>& rules() const { return m_rules; }

private:
  std::vector<Rule> m_rules;
};

} // namespace pyro::egress
