#include "egress_guard.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/text.hpp>
#include <pyro/egress/reserved.hpp>
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

bool is_forbidden(const Destination& destination) {
  return egress::is_in(egress::forbidden_destinations(), destination);
}

std::optional<Destination> name_server_in(std::string_view line) {
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
    return destination_from(std::string(address));
  } catch (const Error&) {
    return std::nullopt; // not for us to say what a resolver makes of it
  }
}

} // namespace

SandboxResolver resolver_for_sandbox(const std::string& text) {
  const auto own = os::local_destinations(os::open_route_netlink().get());
  const auto is_out_of_reach = [&](const Destination& server) {
    return is_forbidden(server) || egress::is_in(own, server);
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
  for (const auto& destination : egress::forbidden_destinations()) {
    for (const int link : m_links) {
      os::keep_inside(m_inside.get(), destination, link);
    }
  }
  apply();
}

void EgressGuard::apply() {
  const auto found = egress::with_translated(os::local_destinations(m_outside.get()));
  std::set<Destination> wanted(found.begin(), found.end());
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
