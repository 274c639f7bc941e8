#include "channel.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/text.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/protocol/guest_boot.hpp>

// clang-format off
#include <sys/socket.h>
#include <linux/vm_sockets.h> // needs it, as older kernels have it
// clang-format on

#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <poll.h>

namespace pyro::agent {

namespace {

constexpr int k_port_patience_ms = 20'000;

std::optional<std::uint32_t> wanted_port() {
  return vsock_port_of(os::maybe_read_file("/proc/cmdline", 64 << 10).value_or(""));
}

os::Fd open_serial_port() {
  constexpr const char* k_ports = "/sys/class/virtio-ports";
  for (int waited = 0; waited < k_port_patience_ms; ++waited) {
    for (const auto& port : os::list_directory(k_ports)) {
      const auto name = os::maybe_read_file(fmt::format("{}/{}/name", k_ports, port), 256).value_or("");
      if (name.starts_with(protocol::k_guest_port_name)) {
        if (auto file = os::maybe_open(fmt::format("/dev/{}", port), O_RDWR)) {
          return std::move(*file);
        }
      }
    }
    ::poll(nullptr, 0, 1);
  }
  throw Error(ErrorCode::unavailable, "this machine has no port {}", protocol::k_guest_port_name);
}

os::Fd accept_on_vsock(std::uint32_t port) {
  const os::Fd listener(::socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_vm address{};
  address.svm_family = AF_VSOCK;
  address.svm_cid = VMADDR_CID_ANY;
  address.svm_port = port;
  if (!listener || ::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) < 0
      || ::listen(listener.get(), 1) < 0) {
    throw Error::from_errno(errno, fmt::format("listen on port {} of the vsock", port));
  }
  while (true) {
    sockaddr_vm peer{};
    socklen_t size = sizeof(peer);
    os::Fd socket(::accept4(listener.get(), reinterpret_cast<sockaddr*>(&peer), &size, SOCK_CLOEXEC));
    if (socket && peer.svm_cid == VMADDR_CID_HOST) {
      return socket;
    }
    if (!socket && errno != EINTR && errno != ECONNABORTED) {
      throw Error::from_errno(errno, "wait for the host on the vsock");
    }
  }
}

} // namespace

std::optional<std::uint32_t> vsock_port_of(std::string_view command_line) {
  constexpr std::string_view k_option = "pyro.vsock_port=";
  while (!command_line.empty() && (command_line.back() == '\n' || command_line.back() == '\0')) {
    command_line.remove_suffix(1);
  }
  for (const auto& word : fields_of(command_line, ' ')) {
    std::uint32_t port = 0;
    if (word.starts_with(k_option)) {
      const auto* end = word.data() + word.size();
      const auto [stop, error] = std::from_chars(word.data() + k_option.size(), end, port);
      return error == std::errc{} && stop == end ? std::optional(port) : std::nullopt;
    }
  }
  return std::nullopt;
}

bool has_vsock_channel() {
  return wanted_port().has_value();
}

os::Fd open_guest_channel() {
  const auto port = wanted_port();
  return port ? accept_on_vsock(*port) : open_serial_port();
}

} // namespace pyro::agent
