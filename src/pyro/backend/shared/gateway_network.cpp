#include "gateway_network.hpp"

#include <pyro/base/destination.hpp>
#include <pyro/base/error.hpp>
#include <pyro/base/json_access.hpp>
#include <pyro/egress/gateway_addresses.hpp>
#include <pyro/os/id_space.hpp>
#include <pyro/os/network.hpp>
#include <pyro/os/network_link.hpp>
#include <pyro/os/process.hpp>
#include <pyro/os/socket_address.hpp>
#include <pyro/os/unix_socket.hpp>

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <functional>
#include <iterator>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <unistd.h>

namespace pyro::backend {

namespace {

constexpr const char* k_gateway_link = "sandbox";
constexpr const char* k_sandbox_link = "eth0";
constexpr std::uint32_t k_mtu = 65'520;
constexpr int k_backlog = 1024;

/// Runs `work` in a child that is root of the sandbox's user namespace, and returns the descriptors that it
/// opened.
std::vector<os::Fd>
in_user_namespace(const os::Fd& user_namespace, const std::function<std::vector<os::Fd>()>& work) {
  auto [ours, theirs] = os::socket_pair();
  const pid_t pid = ::fork();
  if (pid < 0) {
    throw Error::from_errno(errno, "fork");
  }
  if (pid == 0) {
    try {
      ours.reset();
      become_root_of(user_namespace);
      const auto fds = work();
      os::send_with_fds(theirs.get(), "{}", os::numbers_of(fds));
    } catch (const Error& error) {
      os::send_with_fds(theirs.get(), to_json(error).dump(), {});
    }
    ::_exit(0);
  }
  os::Child child(pid);
  theirs.reset();
  auto received = os::receive_with_fds(ours.get());
  std::ignore = child.wait();
  if (received.bytes != "{}") {
    throw received.bytes.empty()
        ? Error(ErrorCode::failed, "the helper that makes a gateway's network ended without an answer")
        : error_from_json(
              parse_json(received.bytes, "the answer of the helper that makes a gateway's network"))
              .add_context("making the network of the gateway");
  }
  return std::move(received.fds);
}

void enter(int network_namespace) {
  if (::setns(network_namespace, CLONE_NEWNET) < 0) {
    throw Error::from_errno(errno, "enter a network namespace");
  }
}

os::Fd network_namespace_of_this_process() {
  return os::open_file("/proc/self/ns/net", O_RDONLY);
}

/// False: only that of IPv4, on a machine without IPv6.
bool give_addresses(const char* link, const char* address, const char* address6) {
  os::add_link_address(link, address, egress::k_network_prefix);
  os::bring_up_link(link);
  try {
    os::add_link_address(link, address6, egress::k_network_prefix6);
    return true;
  } catch (const Error& error) {
    if (error.error_number() != EOPNOTSUPP && error.error_number() != EACCES
        && error.error_number() != EAFNOSUPPORT) {
      throw;
    }
    return false;
  }
}

void bind_to(int socket, const sockaddr* address, socklen_t size, const char* what) {
  if (::bind(socket, address, size) < 0) {
    throw Error::from_errno(errno, what);
  }
}

os::Fd open_socket(int family, int type, int protocol) {
  os::Fd socket(::socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol));
  if (!socket) {
    throw Error::from_errno(errno, "open a socket of the gateway");
  }
  return socket;
}

/// A rule may have the port of the name server, which listens at one address of it.
void share_port(int socket) {
  const int on = 1;
  ::setsockopt(socket, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
}

os::Fd listen_at(const os::SocketAddress& address, const char* what) {
  auto socket = open_socket(address.family(), SOCK_STREAM, 0);
  share_port(socket.get());
  if (address.family() == AF_INET6) {
    const int off = 0;
    ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  }
  bind_to(socket.get(), address.get(), address.size, what);
  if (::listen(socket.get(), k_backlog) < 0) {
    throw Error::from_errno(errno, what);
  }
  return socket;
}

std::vector<os::Fd> open_name_server() {
  const auto* what = "bind the name server";
  const auto address =
      os::socket_address(destination_from(egress::k_gateway_address), egress::k_name_server_port);
  auto datagrams = open_socket(AF_INET, SOCK_DGRAM, 0);
  bind_to(datagrams.get(), address.get(), address.size, what);
  std::vector<os::Fd> sockets;
  sockets.push_back(std::move(datagrams));
  sockets.push_back(listen_at(address, what));
  return sockets;
}

os::Fd open_packets() {
  auto socket = open_socket(AF_PACKET, SOCK_DGRAM, htons(ETH_P_ALL));
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = static_cast<int>(::if_nametoindex(k_gateway_link));
  bind_to(
      socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address,
      "watch the gateway's device");
  return socket;
}

os::Fd listen_at_every_address(std::uint16_t port) {
  const os::Fd six(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int family = six ? AF_INET6 : AF_INET;
  return listen_at(
      os::socket_address({family, {}, address_bits(family)}, port), "listen in the gateway's network");
}

void listen_everywhere(const std::vector<std::uint16_t>& ports, std::vector<os::Fd>& listeners) {
  std::transform(ports.begin(), ports.end(), std::back_inserter(listeners), listen_at_every_address);
}

/// Nobody who is not there says that he is.
void be_silent() {
  for (const auto* setting :
       {"/proc/sys/net/ipv4/icmp_echo_ignore_all", "/proc/sys/net/ipv6/icmp/echo_ignore_all"}) {
    if (const os::Fd file(::open(setting, O_WRONLY | O_CLOEXEC)); file) {
      std::ignore = ::write(file.get(), "1", 1); // where /proc is read-only it answers, and nothing else
    }
  }
}

} // namespace

GatewayNetwork
make_gateway_network(const SandboxNamespaces& sandbox, const std::vector<std::uint16_t>& ports) {
  auto fds = in_user_namespace(sandbox.user, [&] {
    if (::unshare(CLONE_NEWNET) < 0) {
      throw Error::from_errno(errno, "unshare(CLONE_NEWNET)");
    }
    const auto here = network_namespace_of_this_process();
    os::bring_up_loopback();
    be_silent();
    os::make_link_pair(k_gateway_link, k_sandbox_link, sandbox.network.get(), k_mtu);
    give_addresses(k_gateway_link, egress::k_gateway_address, egress::k_gateway_address6);
    os::take_in_everything();
    auto sockets = open_name_server();
    sockets.push_back(open_packets());
    listen_everywhere(ports, sockets);
    enter(sandbox.network.get());
    const bool has_ipv6 =
        give_addresses(k_sandbox_link, egress::k_workspace_address, egress::k_workspace_address6);
    os::add_default_route(egress::k_gateway_address);
    if (has_ipv6) {
      os::add_default_route(egress::k_gateway_address6);
    }
    sockets.push_back(os::duplicate(here.get()));
    return sockets;
  });
  GatewayNetwork network;
  network.name_space = std::move(fds.back());
  fds.pop_back();
  network.sockets = std::move(fds);
  return network;
}

std::vector<os::Fd> listen_in_gateway_network(
    const SandboxNamespaces& sandbox, const os::Fd& gateway_namespace,
    const std::vector<std::uint16_t>& ports) {
  if (ports.empty()) {
    return {};
  }
  return in_user_namespace(sandbox.user, [&] {
    enter(gateway_namespace.get());
    std::vector<os::Fd> listeners;
    listen_everywhere(ports, listeners);
    return listeners;
  });
}

} // namespace pyro::backend
