#include "egress_guard.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/text.hpp>
#include <pyro/os/netlink.hpp>
#include <pyro/os/network_link.hpp>

#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <poll.h>
#include <sched.h>
#include <unistd.h>

namespace pyro::backend {

namespace {

// Link-local addresses hold 169.254.169.254 (nearly every cloud), 169.254.170.2 and .23 (containers at AWS).
constexpr std::array k_forbidden{
    "0.0.0.0/8",       "127.0.0.0/8",     "169.254.0.0/16",
    "100.100.100.200", // Alibaba
    "168.63.129.16",   // Azure's wire server
    "192.0.0.192",     // Oracle
    "224.0.0.0/4",     "255.255.255.255", "::/96",          "::1",
    "::ffff:0:0/96", // IPv4 in IPv6
    "fe80::/10",
    "fd00:ec2::254", // AWS
    "fd00:ec2::23",  // AWS, containers
    "fd20:ce::254",  // Google
    "ff00::/8",
};

/// Prefixes under which gateways of networks without IPv4 translate to it (RFC 6052, RFC 8215): the address
/// is the last 32 bits.
constexpr std::array k_translated{"64:ff9b::/96", "64:ff9b:1::/96"};

std::vector<os::Destination> with_translated(std::vector<os::Destination> destinations) {
  static const std::array prefixes{
      os::destination_from(k_translated[0]), os::destination_from(k_translated[1])};
  for (std::size_t i = 0, count = destinations.size(); i < count; ++i) {
    const auto plain = destinations[i];
    if (plain.family != AF_INET) {
      continue;
    }
    for (auto translated : prefixes) {
      std::copy_n(plain.address.begin(), 4, translated.address.begin() + translated.prefix / 8);
      translated.prefix += plain.prefix;
      destinations.push_back(translated);
    }
  }
  return destinations;
}

bool is_forbidden(const os::Destination& destination) {
  const auto& all = forbidden_destinations();
  return std::any_of(
      all.begin(), all.end(), [&](const auto& whole) { return os::covers(whole, destination); });
}

std::optional<os::Destination> name_server_in(std::string_view line) {
  constexpr std::string_view k_key = "nameserver";
  if (!line.starts_with(k_key) || line.size() == k_key.size() || !std::isspace(line[k_key.size()])) {
    return std::nullopt;
  }
  const auto begin = line.find_first_not_of(" \t", k_key.size());
  if (begin == std::string_view::npos) {
    return std::nullopt;
  }
  const auto address = line.substr(begin, line.find_first_of(" \t%#;", begin) - begin);
  try {
    return os::destination_from(std::string(address));
  } catch (const Error&) {
    return std::nullopt; // not for us to say what a resolver makes of it
  }
}

} // namespace

const std::vector<os::Destination>& forbidden_destinations() {
  static const auto s_all = [] {
    std::vector<os::Destination> all;
    for (const char* text : k_forbidden) {
      all.push_back(os::destination_from(text));
    }
    return with_translated(std::move(all));
  }();
  return s_all;
}

SandboxResolver resolver_for_sandbox(const std::string& text) {
  const auto own = os::local_destinations(os::open_route_netlink().get());
  const auto is_out_of_reach = [&](const os::Destination& server) {
    const auto covers = [&](const auto& whole) {
      return os::covers(whole, server);
    };
    return is_forbidden(server) || std::any_of(own.begin(), own.end(), covers);
  };
  std::set<int> families;
  for (const auto line : lines_of(text)) {
    if (const auto server = name_server_in(line); server && is_out_of_reach(*server)) {
      families.insert(server->family);
    }
  }
  SandboxResolver resolver;
  for (const auto line : lines_of(text)) {
    const auto server = name_server_in(line);
    if (server && families.contains(server->family)) {
      const std::string instead = server->family == AF_INET ? k_forwarded_dns : k_forwarded_dns6;
      auto& forwarded = resolver.forwarded;
      if (std::find(forwarded.begin(), forwarded.end(), instead) == forwarded.end()) {
        forwarded.push_back(instead);
        resolver.resolv_conf += "nameserver " + instead + "\n";
        continue;
      }
      if (is_out_of_reach(*server)) {
        continue;
      }
    }
    resolver.resolv_conf.append(line).append("\n");
  }
  return resolver;
}

EgressGuard::EgressGuard()
    : m_changes(os::open_route_netlink(
        RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE)),
      m_outside(os::open_route_netlink()) {
  os::set_nonblocking(m_changes.get());
}

void EgressGuard::enter(int network_namespace) {
  if (::setns(network_namespace, CLONE_NEWNET) < 0) {
    throw Error::from_errno(errno, "enter the sandbox's network namespace");
  }
  m_inside = os::open_route_netlink();
  for (const auto& link : os::network_links()) {
    if (link.is_up && link.name != "lo") {
      m_links.push_back(link.index);
    }
  }
  if (m_links.empty()) {
    throw Error(ErrorCode::unavailable, "pasta made no network device for the sandbox");
  }
  for (const auto& destination : forbidden_destinations()) {
    for (const int link : m_links) {
      os::keep_inside(m_inside.get(), destination, link);
    }
  }
  apply();
}

void EgressGuard::apply() {
  const auto found = with_translated(os::local_destinations(m_outside.get()));
  std::set<os::Destination> wanted(found.begin(), found.end());
  std::erase_if(wanted, [](const auto& destination) { return is_forbidden(destination); });
  for (const int link : m_links) {
    for (const auto& destination : wanted) {
      if (!m_kept.contains(destination)) {
        os::keep_inside(m_inside.get(), destination, link);
      }
    }
    for (const auto& destination : m_kept) {
      if (!wanted.contains(destination)) {
        os::let_out(m_inside.get(), destination, link);
      }
    }
  }
  m_kept = std::move(wanted);
}

void EgressGuard::follow(int tether) {
  std::array<pollfd, 2> waiting{pollfd{tether, POLLIN, 0}, pollfd{m_changes.get(), POLLIN, 0}};
  while (true) {
    if (::poll(waiting.data(), waiting.size(), -1) < 0) {
      if (errno == EINTR) {
        continue;
      }
      throw Error::from_errno(errno, "poll");
    }
    if (waiting[0].revents != 0) {
      return;
    }
    // What changed does not matter, and messages that were lost (ENOBUFS) neither: everything is looked at.
    std::array<char, 16 << 10> nothing{};
    while (::recv(m_changes.get(), nothing.data(), nothing.size(), 0) > 0 || errno == EINTR
           || errno == ENOBUFS) {
    }
    apply();
  }
}

} // namespace pyro::backend
