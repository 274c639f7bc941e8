#include "name_server.hpp"

#include <pyro/os/tcp_socket.hpp>

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

namespace pyro::gateway {

namespace {

constexpr std::size_t k_largest_question = 4096;
constexpr std::size_t k_most_clients = 64;
constexpr std::chrono::seconds k_client_limit{10};

/// What apt and others ask for before the host itself (RFC 2782): "_http._tcp.example.org".
bool is_service_of(std::string_view name, const egress::Policy& policy) {
  const bool is_service = name.starts_with('_');
  while (name.starts_with('_')) {
    name.remove_prefix(std::min(name.find('.'), name.size() - 1) + 1);
  }
  return is_service && policy.knows(name);
}

} // namespace

/// One connection over TCP (RFC 7766): messages with their length before them.
struct NameServer::Client {
  os::Fd socket;
  std::string received;
  os::EventLoop::TimerId limit = 0;

  void reply(const std::string& message) const {
    std::string framed{static_cast<char>(message.size() >> 8U), static_cast<char>(message.size())};
    framed += message;
    std::ignore =
        ::send(socket.get(), framed.data(), framed.size(), MSG_NOSIGNAL); // who does not read, gets nothing
  }
};

NameServer::NameServer(Common& common, os::Fd datagrams, os::Fd listener)
    : m_common(common), m_datagrams(std::move(datagrams)), m_listener(std::move(listener)) {
  m_common.loop.watch(m_datagrams.get(), EPOLLIN, [this](std::uint32_t) { read_datagrams(); });
  m_common.loop.watch(m_listener.get(), EPOLLIN, [this](std::uint32_t) { accept_clients(); });
}

NameServer::~NameServer() {
  m_common.loop.unwatch(m_datagrams.get());
  m_common.loop.unwatch(m_listener.get());
  for (const auto& [socket, client] : m_clients) {
    m_common.loop.unwatch(socket);
    m_common.loop.cancel(client->limit);
  }
}

void NameServer::read() {
  read_datagrams();
  accept_clients();
}

void NameServer::read_datagrams() {
  constexpr int k_most_per_turn = 64;
  for (int i = 0; i < k_most_per_turn; ++i) {
    std::array<char, k_largest_question> bytes{};
    sockaddr_storage from{};
    socklen_t size = sizeof from;
    const auto count = ::recvfrom(
        m_datagrams.get(), bytes.data(), bytes.size(), MSG_DONTWAIT, reinterpret_cast<sockaddr*>(&from),
        &size);
    if (count < 0) {
      return;
    }
    answer({bytes.data(), static_cast<std::size_t>(count)}, [this, from, size](const std::string& message) {
      std::ignore = ::sendto(
          m_datagrams.get(), message.data(), message.size(), MSG_DONTWAIT,
          reinterpret_cast<const sockaddr*>(&from), size); // lost as datagrams are; it will be asked again
    });
  }
}

void NameServer::accept_clients() {
  while (auto socket = os::accept_tcp(m_listener.get())) {
    if (m_clients.size() == k_most_clients) {
      continue; // closed again
    }
    const int number = socket->get();
    auto client = std::make_shared<Client>();
    client->socket = std::move(*socket);
    client->limit = m_common.loop.after(k_client_limit, [this, number] {
      m_common.loop.unwatch(number);
      m_clients.erase(number);
    });
    m_clients[number] = std::move(client);
    m_common.loop.watch(number, EPOLLIN, [this, number](std::uint32_t) { read_client(number); });
  }
}

void NameServer::read_client(int number) {
  const auto client = m_clients.at(number);
  std::array<char, k_largest_question> bytes{};
  const auto count = ::recv(number, bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (count <= 0) {
    m_common.loop.unwatch(number);
    m_common.loop.cancel(client->limit);
    m_clients.erase(number);
    return;
  }
  auto& received = client->received;
  received.append(bytes.data(), static_cast<std::size_t>(count));
  while (received.size() >= 2) {
    const auto length = static_cast<std::size_t>(static_cast<unsigned char>(received[0])) << 8U
                        | static_cast<unsigned char>(received[1]);
    if (received.size() < length + 2) {
      return;
    }
    answer(received.substr(2, length), [weak = std::weak_ptr(client)](const std::string& message) {
      if (const auto asker = weak.lock()) {
        asker->reply(message);
      }
    });
    received.erase(0, length + 2);
  }
}

void NameServer::answer(std::string_view message, const Reply& reply) {
  const auto question = dns_question_from(message);
  if (!question) {
    return;
  }
  const auto type = static_cast<DnsType>(question->type);
  if (type == DnsType::ptr) {
    const auto address = reverse_name(question->name);
    const auto name = address ? m_common.given.name_at(*address) : std::nullopt;
    reply(dns_message_of(*question, {name ? DnsCode::ok : DnsCode::no_such_name, {}, name.value_or(""), ""}));
    return;
  }
  const auto name = egress::host_name(question->name);
  if (name && type == DnsType::srv && is_service_of(*name, m_common.policy)) {
    reply(dns_message_of(*question, {DnsCode::no_such_name, {}, "", ""})); // it has none, which is no refusal
    return;
  }
  if (!name || !m_common.policy.knows(*name)) {
    const auto shown = name.value_or(question->name);
    Access access;
    access.protocol = "dns";
    access.host = shown;
    access.reason = egress::no_rule_allows(shown);
    access.allow = name ? to_string(egress::rule_for(*name, 0)) : "";
    m_common.log.add(access);
    reply(dns_message_of(*question, {DnsCode::no_such_name, {}, "", access.reason}));
    return;
  }
  answer_name(*question, *name, reply);
}

/// Whether the name exists at all is asked outside, so that a misspelt one is not found here either.
/// Addresses of IPv6 are never given: who prefers them takes the other.
void NameServer::answer_name(const DnsQuestion& question, const std::string& name, const Reply& reply) {
  m_common.resolver.resolve(name, [this, question, name, reply](const Resolved& resolved) {
    DnsAnswer answer;
    switch (resolved.status) {
    case Resolved::Status::no_such_name:
      answer.code = DnsCode::no_such_name;
      break;
    case Resolved::Status::failed:
      answer.code = DnsCode::server_failure;
      answer.reason = resolved.trouble;
      break;
    case Resolved::Status::found:
      if (static_cast<DnsType>(question.type) == DnsType::a) {
        answer.address = m_common.given.of(name);
        answer.code = answer.address ? DnsCode::ok : DnsCode::refused;
      }
    }
    reply(dns_message_of(question, answer));
  });
}

} // namespace pyro::gateway
