#include "connection.hpp"

#include <pyro/base/error.hpp>

#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>

namespace pyro::gateway {

namespace {

using namespace std::chrono_literals;

constexpr auto k_connect_limit = 10s;
constexpr auto k_first_bytes_limit = 60s;
/// Of who is refused: for saying which language it speaks, and for reading what it is told.
constexpr auto k_refusal_limit = 2s;
constexpr std::size_t k_most_first_bytes = 64 << 10;
constexpr std::size_t k_chunk = 64 << 10;
constexpr std::uint32_t k_events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
constexpr char k_tls_handshake = 0x16;

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

SocketAddress socket_address(const Destination& address, std::uint16_t port) {
  SocketAddress result;
  if (address.family == AF_INET) {
    auto& four = reinterpret_cast<sockaddr_in&>(result.storage);
    four.sin_family = AF_INET;
    four.sin_port = htons(port);
    std::memcpy(&four.sin_addr, address.address.data(), 4);
    result.size = sizeof four;
  } else {
    auto& six = reinterpret_cast<sockaddr_in6&>(result.storage);
    six.sin6_family = AF_INET6;
    six.sin6_port = htons(port);
    std::memcpy(&six.sin6_addr, address.address.data(), 16);
    result.size = sizeof six;
  }
  return result;
}

/// What came: nullopt: nothing yet; "": the end, or it broke.
std::optional<std::string> receive(int socket, int flags = 0) {
  std::string bytes(k_chunk, '\0');
  const auto count = ::recv(socket, bytes.data(), bytes.size(), flags);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
    return std::nullopt;
  }
  bytes.resize(count < 0 ? 0 : static_cast<std::size_t>(count));
  return bytes;
}

/// Sends the front of it and takes that off; false: the socket is gone.
bool send_front(int socket, std::string& bytes) {
  while (!bytes.empty()) {
    const auto count = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count < 0) {
      return errno == EAGAIN || errno == EINTR;
    }
    bytes.erase(0, static_cast<std::size_t>(count));
  }
  return true;
}

bool speaks_http_only(std::uint16_t port) {
  return port == egress::k_http_port;
}

bool speaks_tls_only(std::uint16_t port) {
  return port == egress::k_https_port;
}

} // namespace

Connection::Connection(Common& common, os::Fd client, Asked asked, std::function<void()> done)
    : m_common(common), m_client(std::move(client)), m_asked(std::move(asked)), m_done(std::move(done)) {
  m_common.loop.watch(m_client.get(), k_events, [this](std::uint32_t) { step(); });
  if (rule() == nullptr) {
    refuse(
        RefusalKind::denied, GivenAddresses::holds(m_asked.address) && !m_asked.name
                                 ? fmt::format("no name was resolved to {}", to_string(m_asked.address))
                                 : fmt::format("no rule of network.egress allows {}", host_text()));
    return;
  }
  arm(k_first_bytes_limit, [this] { reset_client(); });
  if (!m_asked.name) {
    guarded([&] { on_resolved({Resolved::Status::found, {m_asked.address}, ""}); });
    return;
  }
  m_common.resolver.resolve(*m_asked.name, [this, alive = std::weak_ptr(m_alive)](const Resolved& resolved) {
    if (!alive.expired()) {
      guarded([&] { on_resolved(resolved); });
    }
  });
}

Connection::~Connection() {
  if (m_timer != 0) {
    m_common.loop.cancel(m_timer);
  }
  if (m_client) {
    m_common.loop.unwatch(m_client.get());
  }
  if (m_server) {
    m_common.loop.unwatch(m_server.get());
  }
}

const egress::Rule* Connection::rule() {
  return m_asked.name ? m_common.policy.rule_for_name(*m_asked.name, m_asked.port)
                      : m_common.policy.rule_for_address(
                          m_asked.address, m_asked.port, m_common.reach.is_public(m_asked.address));
}

std::string Connection::host_text() const {
  return fmt::format("{}:{}", m_asked.name.value_or(to_string(m_asked.address)), m_asked.port);
}

void Connection::check_policy() {
  if (!m_refusal && rule() == nullptr) {
    log(Verdict::denied, "network.egress no longer allows it");
    reset_client();
  }
}

/// What goes wrong here is the end of this connection and of no other.
template <typename Work>
void Connection::guarded(Work work) {
  try {
    work();
  } catch (const Error& error) {
    if (m_refusal) {
      reset_client();
      return;
    }
    refuse(
        error.code() == ErrorCode::permission ? RefusalKind::denied : RefusalKind::failed,
        std::string(error.message()));
  }
}

void Connection::on_resolved(const Resolved& resolved) {
  if (m_refusal || m_is_ended) {
    return;
  }
  if (resolved.status != Resolved::Status::found) {
    refuse(
        RefusalKind::failed, resolved.status == Resolved::Status::no_such_name
                                 ? fmt::format("{} has no address", *m_asked.name)
                                 : fmt::format("{} cannot be resolved: {}", *m_asked.name, resolved.trouble));
    return;
  }
  std::string refusal;
  for (const auto& address : resolved.addresses) {
    if (auto why = m_common.reach.refusal(address, m_asked.port, m_common.policy)) {
      refusal = std::move(*why);
    } else {
      m_addresses.push_back(address);
    }
  }
  if (m_addresses.empty()) {
    refuse(RefusalKind::denied, fmt::format("{}: {}", host_text(), refusal));
    return;
  }
  connect_next();
}

void Connection::connect_next() {
  if (m_server) {
    m_common.loop.unwatch(m_server.get());
    m_server.reset();
  }
  if (m_addresses.empty()) {
    refuse(RefusalKind::failed, fmt::format("{} cannot be reached: {}", host_text(), m_trouble));
    return;
  }
  m_address = m_addresses.front();
  m_addresses.erase(m_addresses.begin());
  m_server = os::Fd(::socket(m_address->family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!m_server) {
    throw Error::from_errno(errno, "socket(TCP)");
  }
  const int on = 1;
  ::setsockopt(m_server.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const auto address = socket_address(*m_address, m_asked.port);
  const int result =
      ::connect(m_server.get(), reinterpret_cast<const sockaddr*>(&address.storage), address.size);
  if (result < 0 && errno != EINPROGRESS) {
    m_trouble = std::strerror(errno);
    m_server.reset();
    connect_next();
    return;
  }
  m_common.loop.watch(m_server.get(), k_events, [this](std::uint32_t events) { on_server(events); });
  arm(k_connect_limit, [this] {
    m_trouble = "no answer";
    guarded([&] { connect_next(); });
  });
}

void Connection::on_server(std::uint32_t events) {
  if (m_is_connected) {
    step();
    return;
  }
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(m_server.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) {
    m_trouble = std::strerror(error);
    guarded([&] { connect_next(); });
  } else if ((events & EPOLLOUT) != 0) {
    on_connected();
  }
}

void Connection::on_connected() {
  m_is_connected = true;
  m_addresses.clear();
  arm(k_first_bytes_limit, [this] { reset_client(); });
  step();
}

void Connection::step() {
  if (m_is_ended) {
    return;
  }
  guarded([&] {
    if (m_refusal) {
      tell_refusal();
      return;
    }
    if (!m_is_judged) {
      read_first_bytes();
    }
    if (!m_refusal && !m_is_ended && m_is_connected) {
      carry();
    }
  });
}

void Connection::read_first_bytes() {
  while (!m_is_judged && !m_is_client_at_end && m_early.size() < k_most_first_bytes) {
    const auto bytes = receive(m_client.get());
    if (!bytes) {
      break;
    }
    m_is_client_at_end = bytes->empty();
    m_early += *bytes;
    judge_first_bytes();
  }
  if (!m_is_judged && m_early.size() >= k_most_first_bytes) {
    throw Error(ErrorCode::permission, "{}: what the client begins with has no end", host_text());
  }
}

/// Of a name the rules are about it and what is said must be, too; of an address they are about the address.
void Connection::judge_first_bytes() {
  if (m_early.empty()) {
    m_is_judged = m_is_client_at_end;
    m_has_passed = m_is_judged;
    return;
  }
  if (m_early.front() == k_tls_handshake) {
    m_language = Language::tls;
    m_is_judged = judge_tls(m_early);
  } else {
    const auto is_http = begins_http_request(m_early);
    if (!is_http && !m_is_client_at_end) {
      return;
    }
    m_language = is_http.value_or(false) ? Language::http : Language::other;
    m_is_judged = true;
  }
  if (!m_is_judged && m_is_client_at_end) {
    throw Error(ErrorCode::permission, "{}: the client ended in its first message", host_text());
  }
  if (!m_is_judged) {
    return;
  }
  if (m_asked.name) {
    if (speaks_tls_only(m_asked.port) && m_language != Language::tls) {
      throw Error(ErrorCode::permission, "{}: the client does not speak TLS", host_text());
    }
    if (speaks_http_only(m_asked.port) && m_language != Language::http) {
      throw Error(ErrorCode::permission, "{}: the client does not speak HTTP/1", host_text());
    }
    if (m_language == Language::http) {
      m_requests.emplace(*m_asked.name, m_asked.port);
    }
  }
  m_to_server = m_requests ? m_requests->feed(m_early) : m_early;
  m_early.clear();
  m_has_passed = true;
  log(Verdict::allowed, "");
}

/// False: it is not all there.
bool Connection::judge_tls(std::string_view bytes) {
  if (!m_hello) {
    m_hello.emplace();
  }
  const auto state = m_hello->feed(bytes.substr(m_fed));
  m_fed = bytes.size();
  if (state == ClientHello::State::needs_more) {
    return false;
  }
  if (state == ClientHello::State::wrong) {
    throw Error(ErrorCode::permission, "{}: the client's first message is not TLS", host_text());
  }
  const auto& asked = m_hello->server_name();
  if (m_asked.name && (!asked || egress::host_name(*asked) != m_asked.name)) {
    throw Error(
        ErrorCode::permission, "{}: the client asks by TLS for {}", host_text(),
        asked ? fmt::format("the server '{}'", *asked) : "no server by its name");
  }
  m_hello.reset();
  return true;
}

/// Both ways, as far as it goes now.
void Connection::carry() {
  if (!m_is_up_finished && m_is_judged) {
    if (m_requests) {
      if (!pass_requests()) {
        return reset_client();
      }
    } else if (m_to_server.empty() || send_to_server()) {
      if (m_to_server.empty()) {
        if (!m_up) {
          m_up.emplace(m_client.get(), m_server.get());
        }
        run_pump(m_up, m_is_up_finished);
      }
    } else {
      return reset_client();
    }
  }
  if (m_is_ended) {
    return;
  }
  if (m_requests && m_requests->waits_for_upgrade()) {
    look_for_upgrade();
    if (m_requests->waits_for_upgrade()) {
      return;
    }
  }
  const bool may_server_begin = !speaks_http_only(m_asked.port) && !speaks_tls_only(m_asked.port);
  if (!m_is_down_finished && (m_has_passed || may_server_begin)) {
    if (!m_down) {
      m_down.emplace(m_server.get(), m_client.get());
    }
    run_pump(m_down, m_is_down_finished);
  }
  if (!m_is_ended && m_is_up_finished && m_is_down_finished) {
    end();
  }
}

bool Connection::send_to_server() {
  return send_front(m_server.get(), m_to_server);
}

/// False: one of the two is gone.
bool Connection::pass_requests() {
  while (true) {
    if (!send_to_server()) {
      return false;
    }
    if (!m_to_server.empty() || m_requests->waits_for_upgrade()) {
      return true;
    }
    if (m_is_client_at_end) {
      ::shutdown(m_server.get(), SHUT_WR);
      m_is_up_finished = true;
      return true;
    }
    const auto bytes = receive(m_client.get());
    if (!bytes) {
      return true;
    }
    m_is_client_at_end = bytes->empty();
    m_to_server = m_requests->feed(*bytes);
  }
}

void Connection::look_for_upgrade() {
  const auto bytes = receive(m_server.get(), MSG_PEEK);
  if (!bytes) {
    return;
  }
  const auto answer = upgrade_answer_in(*bytes);
  if (answer == UpgradeAnswer::unknown && !bytes->empty() && bytes->size() < k_chunk) {
    return;
  }
  m_to_server = m_requests->answered(answer == UpgradeAnswer::switches);
  again(); // what the client has sent meanwhile was not read
}

void Connection::run_pump(std::optional<Pump>& pump, bool& is_finished) {
  switch (pump->run()) {
  case Pump::State::waiting:
    break;
  case Pump::State::more:
    again();
    break;
  case Pump::State::finished:
    is_finished = true;
    break;
  case Pump::State::broken:
    reset_client();
    break;
  }
  if (m_timer != 0) {
    m_common.loop.cancel(m_timer);
    m_timer = 0;
  }
}

/// Another step in a later turn of the loop.
void Connection::again() {
  if (m_is_posted) {
    return;
  }
  m_is_posted = true;
  m_common.loop.post([this, alive = std::weak_ptr(m_alive)] {
    if (!alive.expired()) {
      m_is_posted = false;
      step();
    }
  });
}

void Connection::log(Verdict verdict, const std::string& reason) {
  Access access;
  access.verdict = verdict;
  access.protocol = m_language == Language::tls ? "tls" : m_language == Language::http ? "http" : "tcp";
  access.host = m_asked.name.value_or(to_string(m_asked.address));
  access.port = m_asked.port;
  access.address = m_asked.name && m_address ? to_string(*m_address) : "";
  const auto* allowing = verdict == Verdict::denied ? nullptr : rule();
  access.rule = allowing == nullptr ? "" : egress::to_string(*allowing);
  access.reason = reason;
  m_common.log.add(access);
}

void Connection::refuse(RefusalKind kind, const std::string& reason) {
  log(kind == RefusalKind::denied ? Verdict::denied : Verdict::failed, reason);
  m_refusal = kind;
  m_reason = reason;
  if (m_server) {
    m_common.loop.unwatch(m_server.get());
    m_server.reset();
  }
  if (m_has_passed) {
    reset_client(); // in the middle of something
    return;
  }
  arm(k_refusal_limit, [this] { reset_client(); });
  again();
}

void Connection::tell_refusal() {
  if (!m_is_told) {
    while (m_language == Language::unknown && !m_is_client_at_end) {
      const auto bytes = receive(m_client.get());
      if (!bytes && m_early.empty()) {
        return;
      }
      m_is_client_at_end = bytes && bytes->empty();
      m_early += bytes.value_or("");
      if (m_early.empty()) {
        break;
      }
      const auto is_http = begins_http_request(m_early);
      m_language = m_early.front() == k_tls_handshake ? Language::tls
                   : is_http.value_or(false)          ? Language::http
                   : is_http                          ? Language::other
                                                      : Language::unknown;
      if (!bytes) {
        return;
      }
    }
    m_answer = refusal_for(m_language, *m_refusal, m_reason);
    m_is_told = true;
    if (m_answer.empty()) {
      return reset_client();
    }
  }
  if (!send_front(m_client.get(), m_answer)) {
    return reset_client();
  }
  if (m_answer.empty()) {
    ::shutdown(m_client.get(), SHUT_WR);
    drain();
  }
}

/// An end with unread bytes would take the answer with it.
void Connection::drain() {
  while (const auto bytes = receive(m_client.get())) {
    if (bytes->empty()) {
      return end();
    }
  }
}

void Connection::arm(std::chrono::milliseconds limit, std::function<void()> over) {
  if (m_timer != 0) {
    m_common.loop.cancel(m_timer);
  }
  m_timer = m_common.loop.after(limit, [this, over = std::move(over)] {
    m_timer = 0;
    over();
  });
}

void Connection::reset_client() {
  const linger at_once{1, 0};
  ::setsockopt(m_client.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  end();
}

void Connection::end() {
  if (!m_is_ended) {
    m_is_ended = true;
    m_common.loop.post(m_done);
  }
}

} // namespace pyro::gateway
