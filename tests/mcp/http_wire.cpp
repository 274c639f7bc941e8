#include "http_wire.hpp"

#include <pyro/os/unix_socket.hpp>

#include <sys/socket.h>

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <netinet/in.h>
#include <ostream>
#include <poll.h>
#include <stdexcept>
#include <unistd.h>

namespace pyro::testing {

namespace {

constexpr int k_wire_patience_ms = 120'000;

os::Fd connected(int port) {
  os::Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) < 0) {
    throw std::runtime_error("nobody listens at port " + std::to_string(port));
  }
  return socket;
}

std::string unchunked(std::string_view raw) {
  std::string body;
  while (true) {
    const auto end = raw.find("\r\n");
    if (end == std::string_view::npos) {
      return body;
    }
    const auto size = std::stoul(std::string(raw.substr(0, end)), nullptr, 16);
    raw.remove_prefix(end + 2);
    body += raw.substr(0, size);
    if (size == 0 || raw.size() < size + 2) {
      return body;
    }
    raw.remove_prefix(size + 2);
  }
}

} // namespace

std::ostream& operator<<(std::ostream& out, const HttpReply& reply) {
  out << reply.status << "\n";
  for (const auto& [name, value] : reply.fields) {
    out << name << ": " << value << "\n";
  }
  return out << "\n" << reply.body << (reply.is_closed ? "" : "...");
}

std::vector<Json> HttpReply::events() const {
  std::vector<Json> all;
  std::string_view rest = body;
  for (auto end = rest.find("\n\n"); end != std::string_view::npos; end = rest.find("\n\n")) {
    const auto event = rest.substr(0, end);
    if (const auto data = event.find("data: "); data != std::string_view::npos) {
      all.push_back(Json::parse(event.substr(data + 6), nullptr, false));
    }
    rest.remove_prefix(end + 2);
  }
  return all;
}

HttpWire::HttpWire(int port) : m_fd(connected(port)) {
}

HttpWire::HttpWire(const std::string& socket_path) {
  auto socket = os::maybe_connect_unix(socket_path);
  if (!socket) {
    throw std::runtime_error("nobody listens at " + socket_path);
  }
  m_fd = std::move(*socket);
}

void HttpWire::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto count = ::send(m_fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) {
      return; // the server has closed it: what it said is there to read
    }
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

bool HttpWire::read(int patience_ms) {
  pollfd watched{m_fd.get(), POLLIN, 0};
  if (m_is_closed || ::poll(&watched, 1, patience_ms) <= 0) {
    return false;
  }
  std::array<char, 65536> buffer{};
  const auto count = ::read(m_fd.get(), buffer.data(), buffer.size());
  m_is_closed = count <= 0;
  if (count > 0) {
    m_raw.append(buffer.data(), static_cast<std::size_t>(count));
  }
  return true;
}

HttpReply HttpWire::reply() {
  while (!m_is_closed && read(k_wire_patience_ms)) {
  }
  return so_far();
}

HttpReply HttpWire::so_far() const {
  HttpReply reply;
  reply.is_closed = m_is_closed;
  auto raw = std::string_view(m_raw);
  if (raw.starts_with("HTTP/1.1 100")) {
    raw.remove_prefix(std::min(raw.size(), raw.find("\r\n\r\n") + 4));
  }
  const auto end = raw.find("\r\n\r\n");
  if (end == std::string_view::npos) {
    return reply;
  }
  reply.status = std::stoi(std::string(raw.substr(9, 3)));
  auto head = std::string(raw.substr(0, end + 2));
  for (auto at = head.find("\r\n") + 2; at < head.size();) {
    const auto line = head.substr(at, head.find("\r\n", at) - at);
    auto name = line.substr(0, line.find(':'));
    std::transform(
        name.begin(), name.end(), name.begin(), [](unsigned char letter) { return std::tolower(letter); });
    reply.fields[name] = line.substr(line.find(':') + 2);
    at += line.size() + 2;
  }
  const auto body = raw.substr(end + 4);
  reply.body = reply.fields["transfer-encoding"] == "chunked" ? unchunked(body) : std::string(body);
  return reply;
}

std::string http_request(
    const std::string& method, const std::string& path, const HttpFields& fields, const std::string& body) {
  auto text = method + " " + path + " HTTP/1.1\r\nConnection: close\r\n";
  for (const auto& [name, value] : fields) {
    text += name + ": " + value + "\r\n";
  }
  if (!body.empty() && !fields.contains("Content-Length")) {
    text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  }
  return text + "\r\n" + body;
}

} // namespace pyro::testing
