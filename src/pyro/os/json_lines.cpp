#include "json_lines.hpp"

#include "clock.hpp"
#include "unix_socket.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/json_access.hpp>

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <poll.h>

namespace pyro::os {

namespace {

void await_readable(int fd, std::chrono::milliseconds deadline, const std::string& what) {
  while (true) {
    const auto left = deadline - now_monotonic();
    if (left.count() <= 0) {
      throw Error(ErrorCode::timeout, "{} did not answer in time", what);
    }
    pollfd waiting{fd, POLLIN, 0};
    if (::poll(&waiting, 1, static_cast<int>(left.count())) > 0) {
      return;
    }
  }
}

} // namespace

JsonLines::JsonLines(int fd, std::string what, std::size_t longest_line)
    : m_fd(fd), m_what(std::move(what)), m_longest_line(longest_line) {
}

void JsonLines::send(const nlohmann::json& document) {
  write_all(m_fd, document.dump() + "\n");
}

void JsonLines::send_with_fd(const nlohmann::json& document, int fd) {
  os::send_with_fds(m_fd, document.dump() + "\n", {fd});
}

std::string JsonLines::receive_line(std::chrono::milliseconds limit) {
  const auto deadline = now_monotonic() + limit;
  std::string line;
  std::array<char, 4096> buffer{};
  while (true) {
    await_readable(m_fd, deadline, m_what);
    const auto seen = ::recv(m_fd, buffer.data(), buffer.size(), MSG_PEEK | MSG_DONTWAIT);
    if (seen < 0 && (errno == EAGAIN || errno == EINTR)) {
      continue;
    }
    if (seen <= 0) {
      throw Error(ErrorCode::unavailable, "{} is gone", m_what);
    }
    const auto* end =
        static_cast<const char*>(std::memchr(buffer.data(), '\n', static_cast<std::size_t>(seen)));
    const auto wanted =
        end ? static_cast<std::size_t>(end - buffer.data()) + 1 : static_cast<std::size_t>(seen);
    const auto taken = ::recv(m_fd, buffer.data(), wanted, 0);
    if (taken != static_cast<ssize_t>(wanted)) {
      throw Error(ErrorCode::unavailable, "{} is gone", m_what);
    }
    line.append(buffer.data(), end ? wanted - 1 : wanted);
    if (end) {
      return line;
    }
    if (line.size() > m_longest_line) {
      throw Error(ErrorCode::protocol, "{} sent a line of more than {} bytes", m_what, m_longest_line);
    }
  }
}

nlohmann::json JsonLines::receive(std::chrono::milliseconds limit) {
  return parse_json(receive_line(limit), fmt::format("the answer of {}", m_what));
}

} // namespace pyro::os
