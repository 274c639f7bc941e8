#include "stdio_channel.hpp"

#include <gtest/gtest.h>

#include <array>
#include <poll.h>
#include <unistd.h>

namespace pyro::testing {

namespace {

constexpr int k_pipe_patience_ms = 120'000;

} // namespace

StdioChannel::StdioChannel(os::Child child, os::Fd to_server, os::Fd from_server)
    : m_child(std::move(child)), m_to_server(std::move(to_server)), m_from_server(std::move(from_server)) {
}

void StdioChannel::write(std::string_view bytes) {
  os::write_all(m_to_server.get(), bytes);
}

void StdioChannel::send(const Json& message) {
  write(message.dump() + "\n");
}

std::optional<Json> StdioChannel::receive() {
  auto end = std::string::npos;
  while ((end = m_unread.find('\n')) == std::string::npos) {
    pollfd watched{m_from_server.get(), POLLIN, 0};
    if (::poll(&watched, 1, k_pipe_patience_ms) <= 0) {
      return std::nullopt;
    }
    std::array<char, 65536> buffer{};
    const auto count = ::read(m_from_server.get(), buffer.data(), buffer.size());
    if (count <= 0) {
      return std::nullopt;
    }
    m_unread.append(buffer.data(), static_cast<std::size_t>(count));
  }
  auto message = Json::parse(m_unread.substr(0, end), nullptr, false);
  EXPECT_FALSE(message.is_discarded()) << m_unread.substr(0, end);
  m_unread.erase(0, end + 1);
  return message;
}

int StdioChannel::close() {
  m_to_server.reset();
  return m_child.wait().shell_status();
}

} // namespace pyro::testing
