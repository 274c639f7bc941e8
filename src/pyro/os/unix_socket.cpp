#include "unix_socket.hpp"

#include <pyro/base/error.hpp>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <iterator>
#include <unistd.h>

namespace pyro::os {

namespace {

constexpr std::size_t k_max_fds = 64;

// A path may be longer than sun_path: name its directory by a descriptor instead.
struct ShortAddress {
  Fd directory;
  sockaddr_un address{};
};

std::optional<ShortAddress> short_address(const std::string& path) {
  const std::filesystem::path whole(path);
  auto directory = maybe_open(whole.parent_path().string(), O_PATH | O_DIRECTORY);
  if (!directory) {
    return std::nullopt;
  }
  ShortAddress result{std::move(*directory)};
  const auto name = fmt::format("/proc/self/fd/{}/{}", result.directory.get(), whole.filename().string());
  if (name.size() >= sizeof(result.address.sun_path)) {
    throw Error(ErrorCode::invalid_argument, "socket name too long: {}", path);
  }
  result.address.sun_family = AF_UNIX;
  std::memcpy(result.address.sun_path, name.c_str(), name.size() + 1);
  return result;
}

Fd make_socket(int extra_flags) {
  Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | extra_flags, 0));
  if (!socket) {
    throw Error::from_errno(errno, "socket(AF_UNIX)");
  }
  return socket;
}

} // namespace

std::pair<Fd, Fd> socket_pair() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) < 0) {
    throw Error::from_errno(errno, "socketpair");
  }
  return {Fd(ends[0]), Fd(ends[1])};
}

Fd listen_unix(const std::string& path) {
  auto target = short_address(path);
  if (!target) {
    throw Error(ErrorCode::io, "no directory for the socket {}", path);
  }
  auto socket = make_socket(SOCK_NONBLOCK);
  if (::unlink(path.c_str()) < 0 && errno != ENOENT) {
    throw Error::from_errno(errno, fmt::format("remove old socket {}", path));
  }
  const auto* address = reinterpret_cast<const sockaddr*>(&target->address);
  if (::bind(socket.get(), address, sizeof(target->address)) < 0) {
    throw Error::from_errno(errno, fmt::format("bind {}", path));
  }
  if (::chmod(path.c_str(), 0600) < 0 || ::listen(socket.get(), 64) < 0) {
    throw Error::from_errno(errno, fmt::format("listen {}", path));
  }
  return socket;
}

std::optional<Fd> maybe_connect_unix(const std::string& path) {
  const auto target = short_address(path);
  if (!target) {
    return std::nullopt;
  }
  auto socket = make_socket(0);
  const auto* address = reinterpret_cast<const sockaddr*>(&target->address);
  while (::connect(socket.get(), address, sizeof(target->address)) < 0) {
    const int error_number = errno;
    if (error_number == ENOENT || error_number == ECONNREFUSED) {
      return std::nullopt;
    }
    if (error_number != EINTR) {
      throw Error::from_errno(error_number, fmt::format("connect {}", path));
    }
  }
  return socket;
}

std::optional<Fd> accept_unix(int listener) {
  const int socket = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (socket < 0) {
    const int error_number = errno;
    if (error_number == EAGAIN || error_number == EINTR || error_number == ECONNABORTED) {
      return std::nullopt;
    }
    throw Error::from_errno(error_number, "accept4");
  }
  return Fd(socket);
}

PeerCredentials peer_credentials(int socket) {
  ucred credentials{};
  socklen_t size = sizeof(credentials);
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) < 0) {
    throw Error::from_errno(errno, "getsockopt(SO_PEERCRED)");
  }
  return {credentials.pid, credentials.uid, credentials.gid};
}

std::vector<int> numbers_of(const std::vector<Fd>& fds) {
  std::vector<int> numbers;
  std::transform(fds.begin(), fds.end(), std::back_inserter(numbers), [](const Fd& fd) { return fd.get(); });
  return numbers;
}

void send_with_fds(int socket, std::string_view bytes, const std::vector<int>& fds) {
  if (fds.size() > k_max_fds || bytes.empty()) {
    throw Error(ErrorCode::internal, "a message needs bytes and at most {} descriptors", k_max_fds);
  }
  iovec part{const_cast<char*>(bytes.data()), bytes.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * k_max_fds)> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (!fds.empty()) {
    message.msg_control = control.data();
    message.msg_controllen = CMSG_SPACE(sizeof(int) * fds.size());
    auto* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int) * fds.size());
    std::memcpy(CMSG_DATA(header), fds.data(), sizeof(int) * fds.size());
  }
  ssize_t sent = -1;
  do {
    sent = ::sendmsg(socket, &message, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0) {
    throw Error::from_errno(errno, "sendmsg");
  }
  if (static_cast<std::size_t>(sent) < bytes.size()) {
    write_all(socket, bytes.substr(static_cast<std::size_t>(sent)));
  }
}

Received receive_with_fds(int socket, std::size_t limit) {
  Received received;
  received.bytes.resize(limit);
  iovec part{received.bytes.data(), received.bytes.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * k_max_fds)> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  ssize_t got = -1;
  do {
    got = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  if (got < 0) {
    throw Error::from_errno(errno, "recvmsg");
  }
  received.bytes.resize(static_cast<std::size_t>(got));
  for (auto* header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
      std::array<int, k_max_fds> numbers{};
      const auto count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
      std::memcpy(numbers.data(), CMSG_DATA(header), count * sizeof(int));
      for (std::size_t index = 0; index < count; ++index) {
        received.fds.emplace_back(numbers[index]);
      }
    }
  }
  return received;
}

} // namespace pyro::os
