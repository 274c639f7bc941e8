#include "gateway.hpp"

#include "stream_socket.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/json_access.hpp>
#include <pyro/base/log.hpp>
#include <pyro/egress/gateway_addresses.hpp>
#include <pyro/os/socket_address.hpp>
#include <pyro/os/tcp_socket.hpp>
#include <pyro/os/unix_socket.hpp>

#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>

namespace pyro::gateway {

namespace {

constexpr std::size_t k_most_connections = 4096;
/// Of a connection: two sockets, and a pipe each way; of the gateway itself, with what c-ares opens.
constexpr std::size_t k_descriptors_each = 6;
constexpr std::size_t k_descriptors_beside = 256;
constexpr std::size_t k_first_listener = 3;
constexpr std::size_t k_largest_message = 192 << 10;
constexpr std::size_t k_largest_bundle = 8 << 20;

/// Where the client connected to. Addresses of IPv4 come as such.
Destination destination_asked(int socket) {
  const auto own = os::own_address(socket);
  const auto address = os::destination_of(*own.get());
  static const auto s_mapped = destination_from("::ffff:0.0.0.0/96");
  if (!covers(s_mapped, address)) {
    return address;
  }
  Destination four{AF_INET, {}, address_bits(AF_INET)};
  std::copy_n(address.address.begin() + 12, 4, four.address.begin());
  return four;
}

/// As many as there are descriptors for.
std::size_t most_connections() {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) < 0 || files.rlim_cur <= k_descriptors_beside) {
    return 1;
  }
  return std::min<std::size_t>(
      k_most_connections, (files.rlim_cur - k_descriptors_beside) / k_descriptors_each);
}

} // namespace

Gateway::Gateway(os::Fd supervisor)
    : m_supervisor(std::move(supervisor)), m_most_connections(most_connections()),
      m_log(
          m_loop,
          [this](const Json& record) {
            tell({{"access", record}});
          }),
      m_traffic(m_loop, [this](const Json& record) {
        return tell({{"traffic", record}});
      }) {
  m_loop.watch(m_supervisor.get(), EPOLLIN, [this](std::uint32_t) { on_message(); });
}

void Gateway::run() {
  m_loop.run();
}

/// What it does not read is lost (false), since nobody inside waits for it; but for what it has asked for.
bool Gateway::tell(const Json& message) {
  const auto text = message.dump(-1, ' ', false, Json::error_handler_t::replace);
  const int flags = m_is_answering ? MSG_NOSIGNAL : MSG_NOSIGNAL | MSG_DONTWAIT;
  return ::send(m_supervisor.get(), text.data(), text.size(), flags) >= 0;
}

void Gateway::on_message() {
  auto received = os::receive_with_fds(m_supervisor.get(), k_largest_message);
  if (received.bytes.empty()) {
    m_loop.stop();
    return;
  }
  const auto message = parse_json(received.bytes, "a message of the supervisor");
  m_is_answering = true;
  if (!m_common) {
    begin(message, std::move(received.fds));
  } else if (message.contains("secrets")) {
    set_secrets(message, received.fds);
    m_is_answering = false;
    return;
  } else if (message.contains("settle")) {
    settle();
  } else {
    set_policy(message, std::move(received.fds));
  }
  tell({{"ready", true}});
  m_is_answering = false;
}

void Gateway::begin(const Json& message, std::vector<os::Fd> sockets) {
  if (sockets.size() < k_first_listener) {
    throw Error(ErrorCode::protocol, "{} sockets were handed over", sockets.size());
  }
  m_resolver = std::make_unique<Resolver>(m_loop, get_string(message, "name_servers"));
  m_common = std::make_unique<Common>(
      Common{m_loop, m_policy, m_given, *m_resolver, m_reach, m_log, m_traffic, m_opening});
  m_names = std::make_unique<NameServer>(*m_common, std::move(sockets[0]), std::move(sockets[1]));
  m_packets =
      std::make_unique<RefusedPackets>(*m_common, std::move(sockets[2]), [this](const SeenPacket& packet) {
        const bool is_name_server =
            packet.port == egress::k_name_server_port && to_string(packet.to) == egress::k_gateway_address;
        return is_name_server || (packet.is_tcp && m_listeners.contains(packet.port));
      });
  sockets.erase(sockets.begin(), sockets.begin() + k_first_listener);
  set_policy(message, std::move(sockets));
}

void Gateway::set_policy(const Json& message, std::vector<os::Fd> listeners) {
  const auto& ports = value_at(message, "ports");
  if (ports.size() != listeners.size()) {
    throw Error(ErrorCode::protocol, "{} listeners for {} ports", listeners.size(), ports.size());
  }
  m_policy = egress::Policy(get_strings(message, "rules"));
  for (std::size_t i = 0; i < ports.size(); ++i) {
    const auto port = ports[i].get<std::uint16_t>();
    const int listener = listeners[i].get();
    m_listeners[port] = std::move(listeners[i]);
    m_loop.watch(listener, EPOLLIN, [this, listener, port](std::uint32_t) { accept(listener, port); });
  }
  for (const auto& [key, connection] : m_connections) {
    connection->check_policy();
  }
}

/// Requests that come from now on get these. What was not opened before stays as it is. An error is the
/// supervisor's to tell: the secrets stay those of before.
void Gateway::set_secrets(const Json& message, const std::vector<os::Fd>& bundle) {
  try {
    RequestSecrets secrets(value_at(message, "secrets"));
    if (!m_opening.authority) {
      m_opening.authority = std::make_unique<Authority>();
      m_opening.servers = std::make_unique<TrustedServers>(
          bundle.empty() ? "" : os::read_all(bundle.front().get(), k_largest_bundle));
    }
    m_opening.secrets = std::move(secrets);
    tell({{"ready", true}, {"authority", m_opening.authority->certificate()}});
  } catch (const Error& error) {
    tell({{"error", to_json(error)}});
  }
}

/// Whoever inside has ended meanwhile asked for it before.
void Gateway::settle() {
  m_names->read();
  for (const auto& [port, listener] : m_listeners) {
    accept(listener.get(), port);
  }
  m_packets->read();
  m_log.flush();
  m_traffic.flush();
}

void Gateway::accept(int listener, std::uint16_t port) {
  constexpr int k_most_per_turn = 64;
  for (int i = 0; i < k_most_per_turn; ++i) {
    auto client = os::accept_tcp(listener);
    if (!client) {
      return;
    }
    try {
      if (m_connections.size() >= m_most_connections) {
        refuse_one_more(*client, port);
      } else {
        take(std::move(*client), port);
      }
    } catch (const Error& error) {
      log::debug(
          "a connection is dropped: {}", error.what()); // it is gone already, or there is no memory for it
    }
  }
}

/// There is no descriptor to say more to it by.
void Gateway::refuse_one_more(const os::Fd& client, std::uint16_t port) {
  Access access;
  access.protocol = "tcp";
  access.host = asked_for(destination_asked(client.get()), port, m_given).host();
  access.port = port;
  access.reason = fmt::format(
      "there are {} connections already, and no descriptors for more (ulimit -n)", m_most_connections);
  m_log.add(access);
  reset_on_close(client.get());
}

void Gateway::take(os::Fd client, std::uint16_t port) {
  auto asked = asked_for(destination_asked(client.get()), port, m_given);
  auto connection =
      std::make_unique<Connection>(*m_common, std::move(client), std::move(asked), [this](Connection* ended) {
        m_connections.erase(ended);
      });
  auto* key = connection.get();
  m_connections[key] = std::move(connection);
}

} // namespace pyro::gateway
