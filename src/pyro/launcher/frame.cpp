#include "frame.hpp"

#include <pyro/base/error.hpp>

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <string>

namespace pyro::launcher {

namespace {

constexpr std::size_t k_header = 5; // kind, then the length of the document, most significant byte first

void send_bytes(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto count = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0 && (errno == EPIPE || errno == ECONNRESET)) {
      throw Error(ErrorCode::unavailable, "the other end of a call is gone");
    }
    if (count < 0) {
      throw Error::from_errno(errno, "send to the other end of a call");
    }
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

/// How much there was before the other end closed.
std::size_t receive_bytes(int socket, char* bytes, std::size_t wanted) {
  std::size_t got = 0;
  while (got < wanted) {
    const auto count = ::recv(socket, bytes + got, wanted - got, 0);
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0 && errno != ECONNRESET) {
      throw Error::from_errno(errno, "receive from the other end of a call");
    }
    if (count <= 0) {
      break;
    }
    got += static_cast<std::size_t>(count);
  }
  return got;
}

FrameKind kind_of(char byte) {
  const auto kind = static_cast<FrameKind>(byte);
  switch (kind) {
  case FrameKind::begun:
  case FrameKind::request:
  case FrameKind::cancel:
  case FrameKind::event:
  case FrameKind::result:
  case FrameKind::failure:
    return kind;
  }
  throw Error(ErrorCode::protocol, "a frame of a call is of no known kind");
}

} // namespace

void send_frame(int socket, FrameKind kind, const Json& body) {
  const auto text = body.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (text.size() > k_longest_frame) {
    throw Error(
        ErrorCode::failed, "what the call says has {} bytes, more than the {} that can be passed on",
        text.size(), k_longest_frame);
  }
  const auto size = static_cast<std::uint32_t>(text.size());
  std::string bytes{static_cast<char>(kind)};
  for (const unsigned shift : {24U, 16U, 8U, 0U}) {
    bytes += static_cast<char>(size >> shift & 0xffU);
  }
  send_bytes(socket, bytes + text);
}

std::optional<Frame> receive_frame(int socket) {
  std::array<char, k_header> header{};
  const auto got = receive_bytes(socket, header.data(), header.size());
  if (got == 0) {
    return std::nullopt;
  }
  std::size_t size = 0;
  for (std::size_t at = 1; at < header.size(); ++at) {
    size = size << 8U | static_cast<unsigned char>(header.at(at));
  }
  if (got < header.size() || size > k_longest_frame) {
    throw Error(ErrorCode::protocol, "a frame of a call is cut short or longer than may be");
  }
  const auto kind = kind_of(header[0]);
  std::string text(size, '\0');
  if (receive_bytes(socket, text.data(), size) < size) {
    throw Error(ErrorCode::protocol, "a frame of a call is cut short");
  }
  return Frame{kind, parse_json(text, "a frame of a call")};
}

} // namespace pyro::launcher
