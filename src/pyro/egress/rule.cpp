#include "rule.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/text.hpp>

#include <sys/socket.h>

#include <algorithm>

namespace pyro::egress {

namespace {

constexpr std::size_t k_longest_name = 253;
constexpr std::size_t k_longest_label = 63;

[[noreturn]] void refuse(const std::string& text, const std::string& why, const std::string& hint) {
  throw Error(ErrorCode::invalid_argument, "'{}' {}", text, why).with_hint(hint);
}

bool is_label(std::string_view label) {
  const auto is_allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  };
  return !label.empty() && label.size() <= k_longest_label && label.front() != '-' && label.back() != '-'
         && std::all_of(label.begin(), label.end(), is_allowed);
}

bool is_numeric(std::string_view label) {
  return std::all_of(label.begin(), label.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::uint16_t port_from(const std::string& text, std::string_view digits) {
  const auto port = whole_number<int>(digits);
  if (!port || *port < 1 || *port > 65535) {
    refuse(
        text, fmt::format("has no port behind its ':': '{}'", digits), "a port is a number from 1 to 65535");
  }
  return static_cast<std::uint16_t>(*port);
}

struct Halves {
  std::string host;
  std::optional<std::uint16_t> port;
};

/// "[2001:db8::]/32:443" keeps its prefix with the address.
Halves split(const std::string& text) {
  if (!text.starts_with('[')) {
    const auto colon = text.find(':');
    if (colon == std::string::npos) {
      return {text, std::nullopt};
    }
    if (text.find(':', colon + 1) != std::string::npos) {
      refuse(
          text, "has more than one ':'",
          fmt::format("an address of IPv6 is written in brackets: [{}]", text));
    }
    return {text.substr(0, colon), port_from(text, std::string_view(text).substr(colon + 1))};
  }
  const auto end = text.find(']');
  if (end == std::string::npos) {
    refuse(text, "has no ']'", "an address of IPv6 is written in brackets: [2001:db8::1]");
  }
  const auto colon = text.find(':', end);
  const auto prefix = text.substr(end + 1, colon == std::string::npos ? colon : colon - end - 1);
  Halves halves{text.substr(1, end - 1) + prefix, std::nullopt};
  if (halves.host.find(':') == std::string::npos) {
    refuse(text, "has brackets, but no address of IPv6 in them", "names and addresses of IPv4 have none");
  }
  if (colon != std::string::npos) {
    halves.port = port_from(text, std::string_view(text).substr(colon + 1));
  }
  return halves;
}

bool looks_like_address(const std::string& host) {
  const auto whole = std::string_view(host).substr(0, host.find('/'));
  const auto dot = whole.rfind('.');
  return whole.find(':') != std::string_view::npos
         || (dot != std::string_view::npos && dot + 1 < whole.size() && is_numeric(whole.substr(dot + 1)));
}

Destination range_from(const std::string& text, const std::string& host) {
  try {
    auto range = destination_from(host);
    for (int bit = range.prefix; bit < address_bits(range.family); ++bit) {
      const auto byte = static_cast<std::size_t>(bit / 8);
      if ((range.address[byte] & (0x80U >> (bit % 8))) != 0) {
        refuse(
            text, "names an address and a shorter prefix than it has",
            "leave the prefix out, or end the address in zeros");
      }
    }
    return range;
  } catch (const Error& error) {
    if (!error.hint().empty()) {
      throw;
    }
    refuse(text, "is no address and no name", "for example 10.0.0.5, 10.0.0.0/8 or [2001:db8::1]");
  }
}

Rule host_rule_from(const std::string& text, const std::string& host) {
  Rule rule;
  if (host == "*") {
    rule.kind = RuleKind::anything;
    return rule;
  }
  if (looks_like_address(host)) {
    rule.kind = RuleKind::range;
    rule.range = range_from(text, host);
    return rule;
  }
  const bool is_below = host.starts_with("*.");
  rule.kind = is_below ? RuleKind::below : RuleKind::name;
  const auto name = host_name(is_below ? std::string_view(host).substr(2) : std::string_view(host));
  if (!name) {
    if (host.find('*') != std::string::npos) {
      refuse(
          text, "has a '*' that is not the whole first label",
          "write *.example.org for every name below example.org");
    }
    refuse(
        text, "is no host",
        "a name or address and at most a port, no scheme and no path: example.org, example.org:8080");
  }
  if (*name == "localhost" || name->ends_with(".localhost")) {
    refuse(
        text, "is the workspace's own loopback, never this machine",
        "name an address of this machine that is not loopback");
  }
  rule.name = *name;
  return rule;
}

} // namespace

std::optional<std::string> host_name(std::string_view text) {
  if (text.ends_with('.')) {
    text.remove_suffix(1);
  }
  auto name = lower_case(text);
  if (name.size() > k_longest_name) {
    return std::nullopt;
  }
  const auto labels = fields_of(name, '.');
  if (!std::all_of(labels.begin(), labels.end(), is_label) || is_numeric(labels.back())) {
    return std::nullopt;
  }
  return name;
}

bool Rule::has_port(std::uint16_t wanted) const {
  return port ? *port == wanted : wanted == k_http_port || wanted == k_https_port;
}

bool Rule::holds_name(std::string_view host) const {
  switch (kind) {
  case RuleKind::name:
    return host == name;
  case RuleKind::below:
    return host.size() > name.size() + 1 && host.ends_with(name)
           && host[host.size() - name.size() - 1] == '.';
  case RuleKind::anything:
    return true;
  case RuleKind::range:
    return false;
  }
  return false;
}

bool Rule::holds_address(const Destination& address) const {
  return kind == RuleKind::range && covers(range, address);
}

Rule rule_from(const std::string& text) {
  if (text.find("://") != std::string::npos) {
    refuse(
        text, "is a URL",
        "a name or address and at most a port, no scheme and no path: example.org, example.org:8080");
  }
  auto halves = split(text);
  auto rule = host_rule_from(text, halves.host);
  rule.port = halves.port;
  return rule;
}

Rule rule_for(std::string name, std::uint16_t port) {
  Rule rule;
  rule.name = std::move(name);
  if (port != 0 && !rule.has_port(port)) {
    rule.port = port;
  }
  return rule;
}

Rule rule_for(const Destination& address, std::uint16_t port) {
  auto rule = rule_for("", port);
  rule.kind = RuleKind::range;
  rule.range = address;
  return rule;
}

std::string to_string(const Rule& rule) {
  std::string text;
  switch (rule.kind) {
  case RuleKind::name:
    text = rule.name;
    break;
  case RuleKind::below:
    text = "*." + rule.name;
    break;
  case RuleKind::anything:
    text = "*";
    break;
  case RuleKind::range: {
    text = pyro::to_string(rule.range);
    if (rule.range.family == AF_INET6) {
      const auto slash = text.find('/');
      text = "[" + text.substr(0, slash) + "]" + (slash == std::string::npos ? "" : text.substr(slash));
    }
    break;
  }
  }
  return rule.port ? fmt::format("{}:{}", text, *rule.port) : text;
}

} // namespace pyro::egress
