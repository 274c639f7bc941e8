#include "policy.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace pyro::egress {

namespace {

template <typename Condition>
const Rule* first(const std::vector<Rule>& rules, Condition condition) {
  const auto found = std::find_if(rules.begin(), rules.end(), condition);
  return found == rules.end() ? nullptr : &*found;
}

} // namespace

std::string no_rule_allows(std::string_view what) {
  return fmt::format("no rule of network.egress allows {}", what);
}

Policy::Policy(const std::vector<std::string>& rules) {
  std::transform(rules.begin(), rules.end(), std::back_inserter(m_rules), rule_from);
}

bool Policy::knows(std::string_view host) const {
  return first(m_rules, [&](const Rule& rule) { return rule.holds_name(host); }) != nullptr;
}

const Rule* Policy::rule_for_name(std::string_view host, std::uint16_t port) const {
  return first(m_rules, [&](const Rule& rule) { return rule.holds_name(host) && rule.has_port(port); });
}

const Rule* Policy::rule_for_address(const Destination& address, std::uint16_t port, bool is_public) const {
  return first(m_rules, [&](const Rule& rule) {
    return rule.has_port(port)
           && (rule.holds_address(address) || (is_public && rule.kind == RuleKind::anything));
  });
}

bool Policy::names_address(const Destination& address, std::uint16_t port) const {
  return first(m_rules, [&](const Rule& rule) { return rule.has_port(port) && rule.holds_address(address); })
         != nullptr;
}

std::set<std::uint16_t> Policy::ports() const {
  std::set<std::uint16_t> ports{k_http_port, k_https_port};
  for (const auto& rule : m_rules) {
    if (rule.port) {
      ports.insert(*rule.port);
    }
  }
  return ports;
}

} // namespace pyro::egress
