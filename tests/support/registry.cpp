#include "registry.hpp"

#include "files.hpp"

#include <sys/socket.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdexcept>
#include <unistd.h>

namespace pyro::testing {

namespace {

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

os::Fd tcp_socket() {
  return os::Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

int free_port() {
  const auto socket = tcp_socket();
  auto address = loopback(0);
  socklen_t size = sizeof address;
  if (::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), size) != 0
      || ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("no free port on 127.0.0.1");
  }
  return ntohs(address.sin_port);
}

bool answers(int port) {
  const auto socket = tcp_socket();
  const auto address = loopback(port);
  return ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

} // namespace

Registry::Registry(const fs::path& directory) {
  const auto port = free_port();
  m_address = "127.0.0.1:" + std::to_string(port);
  write_file(
      directory / "config.yml", "version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: "
                                    + (directory / "data").string() + "}}\nhttp: {addr: '" + m_address
                                    + "'}\n");
  const auto null = os::open_file("/dev/null", O_RDWR);
  os::Command command{.argv = {"docker-registry", "serve", (directory / "config.yml").string()}};
  command.fds = {{0, null.get()}, {1, null.get()}, {2, null.get()}};
  command.die_with_parent = true;
  m_process = os::spawn(command);
  if (!eventually([&] { return answers(port); }, 20)) {
    throw std::runtime_error("docker-registry does not answer at " + m_address);
  }
}

} // namespace pyro::testing
