// One line of what a workspace may reach: `network.egress: [api.example.org, "*.example.net:80",
// "10.0.0.5:5432"]`.
#pragma once

#include <pyro/base/destination.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pyro::egress {

/// Ports of a rule that names none: HTTP and HTTPS.
inline constexpr std::uint16_t k_http_port = 80;
inline constexpr std::uint16_t k_https_port = 443;

enum class RuleKind {
  name,     // "api.example.org": this name alone
  below,    // "*.example.org": every name below it, itself not
  anything, // "*": every name and every public address
  range,    // "10.0.0.5", "10.0.0.0/8", "[2001:db8::1]", "[2001:db8::]/32"
};

struct Rule {
  RuleKind kind = RuleKind::name;
  std::string name;                  // of `name` and `below`: without the "*.", lower case
  Destination range;                 // of `range`
  std::optional<std::uint16_t> port; // nullopt: 80 and 443

  bool has_port(std::uint16_t wanted) const;
  /// `host`: as host_name() gives it.
  bool holds_name(std::string_view host) const;
  bool holds_address(const Destination& address) const;

  bool operator==(const Rule&) const = default;
};

/// A name of the DNS as it is compared: lower case, without a dot at its end. nullopt: it is none (RFC 1123;
/// "_" is allowed as well).
std::optional<std::string> host_name(std::string_view text);

/// Throws Error(invalid_argument) that says what is wrong with it; its hint, what to write instead.
Rule rule_from(const std::string& text);
/// As rule_from() reads it; equal rules have equal texts.
std::string to_string(const Rule& rule);

/// The narrowest rule that holds it. Ports of HTTP and HTTPS are not named; `port` 0: of none.
Rule rule_for(std::string name, std::uint16_t port);
Rule rule_for(const Destination& address, std::uint16_t port);

/// What the word stands for: "apt", "github", "npm", "pypi"; nullopt for every other word.
std::optional<std::vector<std::string>> preset(std::string_view word);
/// All of them, for messages and help.
std::vector<std::string> preset_names();

} // namespace pyro::egress
