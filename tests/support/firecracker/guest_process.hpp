// Stands for the guest: the file given as initrd is executed as the first process, with one end of a vsock
// connection as its descriptor 3, so a test puts pyro's agent there. It "listens" on the port that the
// kernel's command line names (pyro.vsock_port=N), from fake.boot_ms=N milliseconds after the start on.
#pragma once

#include <pyro/os/fd.hpp>
#include <pyro/os/process.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pyro::testing::firecracker {

class GuestProcess {
public:
  ~GuestProcess();

  /// Listens on the vsock's Unix socket. Throws Error where that cannot be.
  void boot(const std::string& initrd, const std::string& boot_args, const std::string& vsock_path);
  void stop();      // SIGSTOP
  void go_on();     // SIGCONT
  bool has_ended(); // it ran and is gone

  /// -1: no vsock.
  int listener() const { return m_listener.get(); }

  /// A connection is waiting.
  void accept();
  /// Bytes of a connection that has not said where it wants to go.
  void serve(int connection);

  std::vector<int> connections() const;

private:
  struct Waiting {
    os::Fd socket;
    std::string line;
  };

  bool connect(os::Fd& socket, std::uint32_t port);

  std::string m_initrd;
  std::string m_vsock_path;
  std::optional<std::uint32_t> m_port;
  std::chrono::milliseconds m_ready_at{0};
  os::Fd m_listener;
  std::vector<Waiting> m_waiting;
  os::Child m_init;
  bool m_ended = false;
  std::uint32_t m_next_host_port = 1U << 30; // as Firecracker counts them
};

} // namespace pyro::testing::firecracker
