#include "plain_socket.hpp"

#include <pyro/base/error.hpp>

#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

namespace pyro::testing::firecracker {

os::Fd listen_at(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) {
    throw Error(ErrorCode::failed, "{} is too long for a socket", path);
  }
  std::memcpy(address.sun_path, path.c_str(), path.size());
  os::Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket || ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) < 0
      || ::listen(socket.get(), 16) < 0) {
    throw Error::from_errno(errno, "listen at " + path);
  }
  return socket;
}

} // namespace pyro::testing::firecracker
