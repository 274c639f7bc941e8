#include "guest_process.hpp"

#include "plain_socket.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/os/unix_socket.hpp>

#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <unistd.h>

namespace pyro::testing::firecracker {

namespace {

/// The value of NAME=number in a kernel command line.
std::optional<std::uint32_t> number_in(const std::string& arguments, const std::string& name) {
  const auto at = (" " + arguments).find(" " + name + "=");
  if (at == std::string::npos) {
    return std::nullopt;
  }
  const char* start = arguments.data() + at + name.size() + 1;
  std::uint32_t number = 0;
  std::from_chars(start, arguments.data() + arguments.size(), number);
  return number;
}

} // namespace

GuestProcess::~GuestProcess() {
  if (!m_vsock_path.empty()) {
    ::unlink(m_vsock_path.c_str());
  }
}

void GuestProcess::boot(
    const std::string& initrd, const std::string& boot_args, const std::string& vsock_path) {
  m_initrd = initrd;
  m_port = number_in(boot_args, "pyro.vsock_port");
  m_ready_at =
      os::now_monotonic() + std::chrono::milliseconds(number_in(boot_args, "fake.boot_ms").value_or(0));
  if (!vsock_path.empty()) {
    m_listener = listen_at(vsock_path);
    m_vsock_path = vsock_path;
  }
}

void GuestProcess::stop() {
  if (m_init.pid() > 0) {
    m_init.signal(SIGSTOP);
  }
}

void GuestProcess::go_on() {
  if (m_init.pid() > 0) {
    m_init.signal(SIGCONT);
  }
}

bool GuestProcess::has_ended() {
  m_ended = m_ended || (m_init.pid() > 0 && m_init.try_wait());
  return m_ended;
}

void GuestProcess::accept() {
  if (auto socket = os::accept_unix(m_listener.get())) {
    m_waiting.push_back({std::move(*socket), {}});
  }
}

std::vector<int> GuestProcess::connections() const {
  std::vector<int> all;
  for (const auto& each : m_waiting) {
    all.push_back(each.socket.get());
  }
  return all;
}

void GuestProcess::serve(int connection) {
  const auto found = std::find_if(m_waiting.begin(), m_waiting.end(), [&](const Waiting& each) {
    return each.socket.get() == connection;
  });
  char letter = 0;
  bool good = ::recv(connection, &letter, 1, 0) == 1 && found->line.size() < 32;
  if (good && letter != '\n') {
    found->line += letter;
    return;
  }
  std::uint32_t port = 0;
  const auto& line = found->line;
  good =
      good && line.starts_with("CONNECT ")
      && std::from_chars(line.data() + 8, line.data() + line.size(), port).ptr == line.data() + line.size();
  if (good) {
    std::ignore = connect(found->socket, port);
  }
  m_waiting.erase(found); // closed, unless the guest has it now
}

bool GuestProcess::connect(os::Fd& socket, std::uint32_t port) {
  if (!m_port || port != *m_port || os::now_monotonic() < m_ready_at || m_init.pid() > 0
      || ::access(m_initrd.c_str(), X_OK) < 0) {
    return false; // nobody listens
  }
  os::write_all(socket.get(), fmt::format("OK {}\n", m_next_host_port++));
  os::Command command{{m_initrd, "--channel-fd", "3"}};
  command.fds = {{0, 0}, {1, 1}, {2, 2}, {3, socket.get()}};
  command.die_with_parent = true;
  m_init = os::spawn(command);
  return true;
}

} // namespace pyro::testing::firecracker
