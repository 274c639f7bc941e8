#include "connection.hpp"

#include "stream_socket.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/socket_address.hpp>

#include <sys/epoll.h>
#include <sys/socket.h>

#include <cstring>

namespace pyro::gateway {

namespace {

using namespace std::chrono_literals;

constexpr auto k_connect_limit = 10s;
constexpr auto k_first_bytes_limit = 60s;
constexpr std::uint32_t k_events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;

/// HTTP and TLS, whose clients speak first.
bool does_client_begin(std::uint16_t port) {
  return port == egress::k_http_port || port == egress::k_https_port;
}

} // namespace

Connection::Connection(Common& common, os::Fd client, Asked asked, Done done)
    : m_common(common), m_client(std::move(client)), m_asked(std::move(asked)), m_done(std::move(done)),
      m_first(m_asked.name, m_asked.port, common.opening.secrets) {
  m_common.loop.watch(m_client.get(), k_events, [this](std::uint32_t) { step(); });
  if (rule() == nullptr) {
    refuse(
        RefusalKind::denied,
        m_asked.is_stale() ? fmt::format("no name was resolved to {}", m_asked.host())
                           : egress::no_rule_allows(host_text()),
        m_asked.missing_rule());
    return;
  }
  m_bytes = m_common.traffic.of(m_asked.host(), m_asked.port);
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

const egress::Rule* Connection::rule() const {
  return m_asked.name ? m_common.policy.rule_for_name(*m_asked.name, m_asked.port)
                      : m_common.policy.rule_for_address(
                          m_asked.address, m_asked.port, m_common.reach.is_public(m_asked.address));
}

std::string Connection::host_text() const {
  return fmt::format("{}:{}", m_asked.host(), m_asked.port);
}

void Connection::check_policy() {
  if (!m_refused && rule() == nullptr) {
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
    if (m_refused) {
      reset_client();
      return;
    }
    refuse(
        error.code() == ErrorCode::permission ? RefusalKind::denied : RefusalKind::failed,
        fmt::format("{}: {}", host_text(), error.message()));
  }
}

void Connection::on_resolved(const Resolved& resolved) {
  if (m_refused || m_is_ended) {
    return;
  }
  if (resolved.status != Resolved::Status::found) {
    refuse(
        RefusalKind::failed, resolved.status == Resolved::Status::no_such_name
                                 ? fmt::format("{} has no address", *m_asked.name)
                                 : fmt::format("{} cannot be resolved: {}", *m_asked.name, resolved.trouble));
    return;
  }
  Reach::Refusal refusal;
  for (const auto& address : resolved.addresses) {
    if (auto why = m_common.reach.refusal(address, m_asked.port, m_common.policy)) {
      refusal = std::move(*why);
    } else {
      m_addresses.push_back(address);
    }
  }
  if (m_addresses.empty()) {
    refuse(RefusalKind::denied, fmt::format("{}: {}", host_text(), refusal.reason), refusal.allow);
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
  try {
    m_server = begin_connect(*m_address, m_asked.port);
  } catch (const Error& error) {
    m_trouble = error.message();
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
  if (const int error = os::connect_error(m_server.get()); error != 0) {
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
    if (m_refused) {
      tell_refused();
      return;
    }
    if (!m_has_passed) {
      read_first_bytes();
    }
    if (!m_refused && !m_is_ended && m_is_connected) {
      carry();
    }
  });
}

void Connection::read_first_bytes() {
  while (!m_first.is_judged()) {
    const auto bytes = receive(m_client.get());
    if (!bytes) {
      return;
    }
    m_is_client_at_end = bytes->empty();
    if (m_is_client_at_end) {
      m_first.end();
    } else {
      m_first.feed(*bytes);
    }
  }
  m_has_passed = true;
  m_to_server = m_first.take_allowed();
  m_requests = m_first.take_requests();
  m_opens = m_asked.name && m_first.language() == Language::tls
            && m_common.opening.secrets.concern(*m_asked.name, m_asked.port);
  log(Verdict::allowed, "");
}

/// Both ways, as far as it goes now.
void Connection::carry() {
  if (m_opens && !m_opened) {
    open_tls();
  }
  if (m_opened) {
    return carry_opened();
  }
  carry_up();
  if (m_is_ended) {
    return;
  }
  if (m_requests && m_requests->waits_for_upgrade()) {
    look_for_upgrade();
  }
  carry_down();
  if (m_is_up_finished && m_is_down_finished) {
    end();
  }
}

void Connection::carry_up() {
  if (m_is_up_finished || !m_has_passed) {
    return;
  }
  if (m_requests) {
    pass_requests();
  } else if (!send_to_server()) {
    reset_client();
  } else if (m_to_server.empty()) {
    run_pump(m_up, m_client, m_server, m_is_up_finished, m_bytes->sent);
  }
}

void Connection::carry_down() {
  const bool may_server_speak = m_has_passed || !does_client_begin(m_asked.port);
  const bool is_looked_at = m_requests && m_requests->waits_for_upgrade();
  if (!m_is_down_finished && may_server_speak && !is_looked_at) {
    run_pump(m_down, m_server, m_client, m_is_down_finished, m_bytes->received);
  }
}

bool Connection::send_to_server() {
  const auto before = m_to_server.size();
  const bool is_there = send_front(m_server.get(), m_to_server);
  m_bytes->sent += before - m_to_server.size();
  return is_there;
}

void Connection::pass_requests() {
  while (true) {
    if (!send_to_server()) {
      reset_client();
      return;
    }
    if (!m_to_server.empty() || m_requests->waits_for_upgrade()) {
      return;
    }
    if (m_is_client_at_end) {
      ::shutdown(m_server.get(), SHUT_WR);
      m_is_up_finished = true;
      return;
    }
    const auto bytes = receive(m_client.get());
    if (!bytes) {
      return;
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
  if (answer == UpgradeAnswer::unknown && !bytes->empty() && bytes->size() < k_most_received) {
    return;
  }
  m_to_server = m_requests->answered(answer == UpgradeAnswer::switches);
  again(); // what the client has sent meanwhile was not read
}

void Connection::run_pump(
    std::optional<Pump>& pump, const os::Fd& from, const os::Fd& to, bool& is_finished,
    std::uint64_t& moved) {
  if (!pump) {
    pump.emplace(from.get(), to.get());
  }
  const auto state = pump->run();
  moved += pump->take_moved();
  switch (state) {
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
  reset_on_close(m_client.get());
  end();
}

void Connection::end() {
  if (!m_is_ended) {
    m_is_ended = true;
    m_common.loop.post([this, done = m_done] { done(this); });
  }
}

} // namespace pyro::gateway
