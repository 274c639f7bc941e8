#include "http_server.hpp"

#include "plain_socket.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/unix_socket.hpp>

#include <charconv>
#include <list>
#include <poll.h>
#include <unistd.h>

namespace pyro::testing::firecracker {

namespace {

constexpr std::size_t k_max_head = 8 << 10;
constexpr std::size_t k_max_body = 51200;

std::string response(const HttpAnswer& answer) {
  const char* reason = answer.status == 200   ? "OK"
                       : answer.status == 204 ? "No Content"
                       : answer.status == 400 ? "Bad Request"
                                              : "Internal Server Error";
  const auto body = answer.body.is_null() ? std::string() : answer.body.dump();
  auto text = fmt::format(
      "HTTP/1.1 {} {}\r\nServer: Firecracker API\r\nConnection: keep-alive\r\n", answer.status, reason);
  if (answer.status != 204) {
    text += fmt::format("Content-Type: application/json\r\nContent-Length: {}\r\n", body.size());
  }
  return text + "\r\n" + body;
}

HttpAnswer bad(const std::string& message) {
  return {400, {{"fault_message", message}}};
}

struct Head {
  std::string method;
  std::string path;
  std::size_t body_size = 0;
};

std::optional<Head> parse_head(const std::string& text) {
  Head head;
  if (std::any_of(text.begin(), text.end(), [](unsigned char letter) { return letter > '~'; })) {
    return std::nullopt;
  }
  const auto line_end = text.find("\r\n");
  const auto line = text.substr(0, line_end);
  const auto first = line.find(' ');
  const auto second = line.find(' ', first + 1);
  if (first == std::string::npos || second == std::string::npos || line.substr(second + 1) != "HTTP/1.1") {
    return std::nullopt;
  }
  head.method = line.substr(0, first);
  head.path = line.substr(first + 1, second - first - 1);
  std::size_t start = line_end + 2;
  while (start < text.size()) {
    const auto end = text.find("\r\n", start);
    auto header = text.substr(start, end - start);
    std::transform(header.begin(), header.end(), header.begin(), [](unsigned char letter) {
      return static_cast<char>(std::tolower(letter));
    });
    if (header.find(':') == std::string::npos) {
      return std::nullopt;
    }
    if (header.starts_with("content-length:")) {
      const auto at = header.find_first_not_of(' ', 15);
      const auto digits = at == std::string::npos ? "" : header.substr(at);
      const auto [stop, error] =
          std::from_chars(digits.data(), digits.data() + digits.size(), head.body_size);
      if (error != std::errc{} || stop != digits.data() + digits.size()) {
        return std::nullopt;
      }
    }
    start = end + 2;
  }
  return head;
}

} // namespace

std::string HttpConnection::feed(std::string_view bytes, MachineModel& machine) {
  m_buffer.append(bytes);
  std::string out;
  while (!m_broken && next(machine, out)) {
  }
  return out;
}

bool HttpConnection::next(MachineModel& machine, std::string& out) {
  const auto end = m_buffer.find("\r\n\r\n");
  if (end == std::string::npos) {
    m_broken = m_buffer.size() > k_max_head;
    return false;
  }
  const auto head = parse_head(m_buffer.substr(0, end + 2));
  if (!head || head->body_size > k_max_body) {
    m_broken = true;
    out += response(
        bad(head ? "Request payload is larger than the limit of 51200 allowed by server." : "Invalid HTTP."));
    return false;
  }
  if (m_buffer.size() < end + 4 + head->body_size) {
    return false;
  }
  const auto body = m_buffer.substr(end + 4, head->body_size);
  m_buffer.erase(0, end + 4 + head->body_size);
  out += response(machine.handle(head->method, head->path, body));
  return true;
}

int serve(const std::string& socket_path, MachineModel& machine) {
  const auto listener = listen_at(socket_path);

  struct Client {
    os::Fd socket;
    HttpConnection connection;
  };

  std::list<Client> clients;
  auto& guest = machine.guest();
  while (!machine.is_over() && !guest.has_ended()) {
    std::vector<pollfd> waiting{{listener.get(), POLLIN, 0}};
    for (const auto& client : clients) {
      waiting.push_back({client.socket.get(), POLLIN, 0});
    }
    const auto api_count = waiting.size();
    if (guest.listener() >= 0) {
      waiting.push_back({guest.listener(), POLLIN, 0});
    }
    for (const int connection : guest.connections()) {
      waiting.push_back({connection, POLLIN, 0});
    }
    if (::poll(waiting.data(), waiting.size(), 20) <= 0) { // 20 ms: the guest's end is no descriptor
      continue;
    }
    for (std::size_t index = 1; index < waiting.size(); ++index) {
      if (waiting[index].revents == 0) {
        continue;
      }
      const int fd = waiting[index].fd;
      if (index >= api_count) {
        fd == guest.listener() ? guest.accept() : guest.serve(fd);
        continue;
      }
      const auto client = std::find_if(
          clients.begin(), clients.end(), [&](const Client& each) { return each.socket.get() == fd; });
      std::array<char, 4096> buffer{};
      const auto count = ::read(fd, buffer.data(), buffer.size());
      if (count > 0) {
        const auto out = client->connection.feed({buffer.data(), static_cast<std::size_t>(count)}, machine);
        os::write_all(fd, out);
      }
      if (count <= 0 || client->connection.is_broken()) {
        clients.erase(client);
      }
    }
    if (waiting[0].revents != 0) {
      if (auto socket = os::accept_unix(listener.get())) {
        clients.push_back({std::move(*socket), {}});
      }
    }
  }
  ::unlink(socket_path.c_str());
  return 0;
}

} // namespace pyro::testing::firecracker
