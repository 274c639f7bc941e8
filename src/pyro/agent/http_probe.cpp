#include "http_probe.hpp"

#include "address.hpp"
#include "listeners.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/process.hpp>

#include <sys/epoll.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <unistd.h>

namespace pyro::agent {

namespace {

using protocol::Probe;
using protocol::ProbeKind;

constexpr std::size_t k_max_reply = 4096; // nothing behind the status line matters
/// The rest of an answer is read, or servers complain of who hangs up; but not for longer than this.
constexpr std::size_t k_max_rest = 256 << 10;
constexpr std::chrono::milliseconds k_rest_patience{200};

/// "[::1]:80": an IPv6 address has colons of its own (RFC 3986, 3.2.2).
std::string authority_of(const Probe& probe) {
  const bool is_ipv6 = probe.host.find(':') != std::string::npos;
  return fmt::format("{}{}{}:{}", is_ipv6 ? "[" : "", probe.host, is_ipv6 ? "]" : "", probe.port);
}

class NetworkAttempt : public ProbeAttempt {
public:
  NetworkAttempt(Runtime& runtime, const Probe& probe, std::string service, Done done)
      : m_runtime(runtime), m_probe(probe), m_service(std::move(service)), m_done(std::move(done)) {
    m_name = probe.kind == ProbeKind::tcp ? fmt::format("tcp {}", authority_of(probe))
                                          : fmt::format("http {}{}", authority_of(probe), probe.http_path);
    try {
      m_addresses = resolve_host(probe.host, probe.port);
    } catch (const Error& error) {
      m_last_error = error.message();
    }
    m_deadline =
        runtime.loop.after(std::chrono::milliseconds(probe.timeout_ms), [this, limit = probe.timeout_ms] {
          finish(false, fmt::format("no answer within {} ms", limit));
        });
    m_next = runtime.loop.after(std::chrono::milliseconds(0), [this] { try_next(); });
  }

  ~NetworkAttempt() override {
    m_runtime.loop.cancel(m_deadline);
    m_runtime.loop.cancel(m_patience);
    m_runtime.loop.cancel(m_next);
    hang_up();
  }

private:
  void hang_up() {
    if (m_socket) {
      m_runtime.loop.unwatch(m_socket.get());
      m_socket.reset();
    }
  }

  void finish(bool ok, const std::string& detail) {
    hang_up();
    m_runtime.loop.cancel(m_deadline);
    m_runtime.loop.cancel(m_patience);
    m_next = m_runtime.loop.after(
        std::chrono::milliseconds(0), [this, outcome = ProbeOutcome{ok, m_name + ": " + detail}] {
          auto done = m_done; // it may destroy this
          done(outcome);
        });
  }

  void try_next() {
    hang_up();
    while (m_tried < m_addresses.size()) {
      const auto& address = m_addresses[m_tried++];
      if (is_foreign(address)) {
        continue;
      }
      try {
        m_socket = os::start_connect(address);
      } catch (const Error& error) {
        m_last_error = std::strerror(error.error_number());
        continue;
      }
      m_runtime.loop.watch(m_socket.get(), EPOLLOUT, [this](std::uint32_t) { on_writable(); });
      return;
    }
    finish(false, m_last_error);
  }

  /// Asked before the connection as well as after it: a server may accept one and be gone.
  bool is_foreign(const os::SocketAddress& address) {
    const auto listener = find_listener(m_runtime, m_service, address);
    m_listening = listener.who;
    if (m_listening == Listening::foreign) {
      m_last_error = fmt::format("{} listens there, not {}", listener.name, m_service);
    }
    return m_listening == Listening::foreign;
  }

  void on_writable() {
    if (!m_connected) {
      if (auto error = os::connect_error(m_socket.get())) {
        m_last_error = std::strerror(error);
        try_next();
        return;
      }
      if (m_listening == Listening::nobody && is_foreign(m_addresses[m_tried - 1])) {
        try_next();
        return;
      }
      m_connected = true;
      if (m_probe.kind == ProbeKind::tcp) {
        finish(true, "connected");
        return;
      }
      m_request = fmt::format("{} {} HTTP/1.1\r\n", m_probe.method, m_probe.http_path);
      std::map<std::string, std::string> headers{
          {"Host", authority_of(m_probe)}, {"User-Agent", "pyro"}, {"Accept", "*/*"}};
      for (auto& [name, value] : m_probe.headers) {
        headers[name] = value;
      }
      headers["Connection"] = "close";
      for (auto& [name, value] : headers) {
        m_request += name + ": " + value + "\r\n";
      }
      m_request += "\r\n";
    }
    auto count = ::send(m_socket.get(), m_request.data(), m_request.size(), MSG_NOSIGNAL);
    if (count < 0) {
      if (errno != EAGAIN && errno != EINTR) {
        finish(false, std::strerror(errno));
      }
      return;
    }
    m_request.erase(0, static_cast<std::size_t>(count));
    if (m_request.empty()) {
      m_runtime.loop.unwatch(m_socket.get());
      m_runtime.loop.watch(m_socket.get(), EPOLLIN, [this](std::uint32_t) { on_readable(); });
    }
  }

  void on_readable() {
    std::array<char, 1024> buffer;
    auto count = ::read(m_socket.get(), buffer.data(), buffer.size());
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
      return;
    }
    if (m_status > 0) {
      m_rest += count > 0 ? static_cast<std::size_t>(count) : 0;
      if (count <= 0 || m_rest > k_max_rest) {
        judge();
      }
      return;
    }
    if (count <= 0) {
      finish(false, "the server hung up");
      return;
    }
    m_reply.append(buffer.data(), static_cast<std::size_t>(count));
    if (!skip_interim()) {
      return; // more of it is to come
    }
    const auto status = parse_status_line(m_reply);
    if (status < 0 || (status == 0 && m_reply.size() > k_max_reply)) {
      finish(false, "the answer is not HTTP");
    } else if (status > 0) {
      m_status = status;
      m_patience = m_runtime.loop.after(k_rest_patience, [this] { judge(); });
    }
  }

  /// Takes interim answers (1xx; RFC 9110, 15.2) off the front. False: one has not come in full.
  bool skip_interim() {
    while (true) {
      const auto status = parse_status_line(m_reply);
      if (status < 100 || status > 199) {
        return true;
      }
      const auto end = m_reply.find("\r\n\r\n");
      if (end == std::string::npos) {
        return m_reply.size() > k_max_reply;
      }
      m_reply.erase(0, end + 4);
    }
  }

  void judge() {
    const bool ok = std::any_of(m_probe.status.begin(), m_probe.status.end(), [&](auto& range) {
      return m_status >= range.from && m_status <= range.to;
    });
    finish(ok, fmt::format("status {}", m_status));
  }

  Runtime& m_runtime;
  Probe m_probe;
  std::string m_service;
  Done m_done;
  std::string m_name;
  std::vector<os::SocketAddress> m_addresses;
  std::size_t m_tried = 0;
  std::string m_last_error;
  Listening m_listening = Listening::nobody; // at the address that is tried
  os::Fd m_socket;
  bool m_connected = false;
  std::string m_request;
  std::string m_reply;
  int m_status = 0;       // of the answer, once it is known
  std::size_t m_rest = 0; // bytes that came after that
  os::EventLoop::TimerId m_deadline = 0;
  os::EventLoop::TimerId m_patience = 0;
  os::EventLoop::TimerId m_next = 0;
};

} // namespace

int parse_status_line(std::string_view text) {
  constexpr std::string_view k_start = "HTTP/1.";
  auto line = text.substr(0, text.find('\n'));
  auto common = std::min(line.size(), k_start.size());
  if (line.substr(0, common) != k_start.substr(0, common)) {
    return -1;
  }
  if (line.size() == text.size()) {
    return 0;
  }
  // "HTTP/1.x NNN"
  if (line.size() < 12 || line[8] != ' ') {
    return -1;
  }
  int status = 0;
  for (char digit : line.substr(9, 3)) {
    if (digit < '0' || digit > '9') {
      return -1;
    }
    status = status * 10 + (digit - '0');
  }
  return status >= 100 ? status : -1;
}

std::unique_ptr<ProbeAttempt> start_network_attempt(
    Runtime& runtime, const Probe& probe, const std::string& service, ProbeAttempt::Done done) {
  return std::make_unique<NetworkAttempt>(runtime, probe, service, std::move(done));
}

} // namespace pyro::agent
