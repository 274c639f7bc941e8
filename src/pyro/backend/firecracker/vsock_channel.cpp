#include "vsock_channel.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/os/unix_socket.hpp>

#include <sys/socket.h>

#include <cerrno>
#include <charconv>
#include <optional>
#include <poll.h>
#include <thread>

namespace pyro::backend::firecracker {

namespace {

constexpr std::chrono::milliseconds k_between_attempts{10};
constexpr std::size_t k_max_line = 32; // "OK 4294967295\n" and some

std::string printable(std::string_view text) {
  std::string result;
  for (const unsigned char letter : text) {
    result += letter >= ' ' && letter < 0x7f ? static_cast<char>(letter) : '?';
  }
  return result;
}

/// Byte by byte, since what follows the line belongs to the agent. nullopt: closed by the other side, which
/// is how Firecracker says that nobody listens inside.
std::optional<std::string> read_line(int socket, std::chrono::milliseconds deadline) {
  std::string line;
  while (line.size() < k_max_line) {
    const auto left = deadline - os::now_monotonic();
    pollfd waiting{socket, POLLIN, 0};
    const int ready = ::poll(&waiting, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
    if (ready < 0 && errno != EINTR) {
      throw Error::from_errno(errno, "poll");
    }
    if (ready == 0) {
      throw Error(ErrorCode::timeout, "Firecracker does not answer CONNECT in time");
    }
    if (ready < 0) {
      continue;
    }
    char letter = 0;
    const auto count = ::recv(socket, &letter, 1, 0);
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0 && errno != ECONNRESET) {
      throw Error::from_errno(errno, "read Firecracker's vsock");
    }
    if (count <= 0) {
      return std::nullopt;
    }
    if (letter == '\n') {
      return line;
    }
    line += letter;
  }
  throw Error(ErrorCode::protocol, "Firecracker's vsock answered '{}'", printable(line));
}

std::optional<os::Fd>
attempt(const std::string& socket_path, std::uint32_t port, std::chrono::milliseconds deadline) {
  auto socket = os::maybe_connect_unix(socket_path);
  if (!socket) {
    return std::nullopt;
  }
  const auto greeting = fmt::format("CONNECT {}\n", port);
  const auto sent = ::send(socket->get(), greeting.data(), greeting.size(), MSG_NOSIGNAL);
  if (sent < 0 && (errno == EPIPE || errno == ECONNRESET)) {
    return std::nullopt;
  }
  if (sent != static_cast<ssize_t>(greeting.size())) {
    throw Error::from_errno(sent < 0 ? errno : EIO, "write to Firecracker's vsock");
  }
  const auto line = read_line(socket->get(), deadline);
  if (!line) {
    return std::nullopt;
  }
  std::ignore = parse_vsock_answer(*line);
  return socket;
}

} // namespace

std::uint32_t parse_vsock_answer(std::string_view line) {
  constexpr std::string_view k_ok = "OK ";
  std::uint32_t port = 0;
  if (line.starts_with(k_ok)) {
    const auto number = line.substr(k_ok.size());
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), port);
    if (error == std::errc{} && end == number.data() + number.size()) {
      return port;
    }
  }
  throw Error(
      ErrorCode::protocol, "Firecracker's vsock answered '{}' to CONNECT", printable(line.substr(0, 64)));
}

os::Fd connect_vsock(
    const std::string& socket_path, std::uint32_t port, std::chrono::milliseconds limit,
    const std::function<void()>& still_there) {
  const auto deadline = os::now_monotonic() + limit;
  while (true) {
    try {
      if (auto socket = attempt(socket_path, port, deadline)) {
        return std::move(*socket);
      }
    } catch (Error& error) {
      throw error.add_context(fmt::format("connecting to port {} of the guest behind {}", port, socket_path));
    }
    if (still_there) {
      still_there();
    }
    if (os::now_monotonic() >= deadline) {
      throw Error(
          ErrorCode::timeout, "nobody listens on port {} of the guest behind {} after {} ms", port,
          socket_path, limit.count());
    }
    std::this_thread::sleep_for(k_between_attempts);
  }
}

} // namespace pyro::backend::firecracker
