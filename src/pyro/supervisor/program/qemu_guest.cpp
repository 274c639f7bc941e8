#include "qemu_guest.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/atomic_file.hpp>
#include <pyro/os/resource_use.hpp>

#include <sys/epoll.h>

#include <csignal>

namespace pyro::supervisor {

namespace {

constexpr std::size_t k_console_kept = 64 << 10;

class QemuGuest : public Guest {
public:
  QemuGuest(backend::qemu::VirtualSandbox sandbox, const backend::LaunchSpec& spec)
      : m_sandbox(std::move(sandbox)), m_spec(spec), m_console_log(spec.runtime_dir + "/console.log") {
    os::set_nonblocking(m_sandbox.console.get());
  }

  os::Fd take_channel() override { return std::move(m_sandbox.channel); }

  int pid() const override { return m_sandbox.process.pid(); }

  backend::Gateway* gateway() override { return m_sandbox.way_out.gateway_if_any(); }

  // Frozen from outside the machine its writable layer could not be read: the agent does it.
  bool freeze() override { return false; }

  void thaw() override {}

  bool has_answered() const override { return true; } // it was told to enter

  bool can_save() const override { return m_sandbox.base_memory.valid(); }

  void save(const std::string& directory) override { backend::qemu::keep(m_sandbox, m_spec, directory); }

  /// Of the machine's own process, with all that is in it.
  ResourceUse use() const override {
    return os::use_of_cgroups(m_sandbox.cgroup->directories())
        .completed_by(os::use_of_process(m_sandbox.process.pid()));
  }

  void kill() override {
    m_sandbox.cgroup->kill();
    if (m_sandbox.process.pid() > 0) {
      m_sandbox.process.signal(SIGKILL);
      m_outcome = m_sandbox.process.wait(); // from here on nobody writes to its disks
    }
    read_console();
    keep_console();
  }

  std::optional<os::Outcome> outcome() override { return m_outcome; }

  void watch(os::EventLoop& loop) override {
    loop.watch(m_sandbox.console.get(), EPOLLIN, [this, &loop](std::uint32_t) {
      if (!read_console()) {
        loop.unwatch(m_sandbox.console.get());
      }
    });
  }

private:
  /// False at its end.
  bool read_console() {
    std::array<char, 4096> buffer{};
    try {
      while (const auto count = os::read_some(m_sandbox.console.get(), buffer)) {
        if (*count == 0) {
          return false;
        }
        m_console.append(buffer.data(), *count);
        if (m_console.size() > 2 * k_console_kept) {
          m_console.erase(0, m_console.size() - k_console_kept);
        }
      }
    } catch (const Error&) {
      return false; // QEMU was killed
    }
    return true;
  }

  void keep_console() const {
    try {
      os::write_file_atomically(m_console_log, m_console, 0600, os::Durable::no);
    } catch (const Error&) {
      // A full disk: the machine has ended all the same, only without its last words.
    }
  }

  std::optional<os::Outcome> m_outcome;
  backend::qemu::VirtualSandbox m_sandbox;
  backend::LaunchSpec m_spec;
  std::string m_console_log;
  std::string m_console;
};

} // namespace

std::unique_ptr<Guest> make_guest(backend::qemu::VirtualSandbox sandbox, const backend::LaunchSpec& spec) {
  return std::make_unique<QemuGuest>(std::move(sandbox), spec);
}

} // namespace pyro::supervisor
