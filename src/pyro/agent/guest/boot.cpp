#include "boot.hpp"

#include "channel.hpp"
#include "disks.hpp"
#include "identity.hpp"
#include "modules.hpp"
#include "root.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/json_text.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/mount.hpp>
#include <pyro/os/network.hpp>

#include <sys/mount.h>
#include <sys/reboot.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <functional>
#include <poll.h>
#include <unistd.h>

namespace pyro::agent {

namespace {

constexpr std::size_t k_longest_line = 1 << 20;

void pause_ms(int milliseconds) {
  ::poll(nullptr, 0, milliseconds);
}

/// What we say goes to the serial console; the host keeps its end.
void use_console() {
  const auto console = os::open_file("/dev/console", O_RDWR | O_NOCTTY);
  for (const int number : {0, 1, 2}) {
    ::dup2(console.get(), number);
  }
}

void mount_early() {
  os::mount_at("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, "");
  os::mount_at("sysfs", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "");
  os::mount_at("devtmpfs", "/dev", "devtmpfs", MS_NOSUID, "mode=0755");
}

/// Nobody at the other end reads as the end of the stream: in a clone the next host comes a moment later.
std::string read_line(int port) {
  std::string line;
  std::array<char, 4096> buffer{};
  while (true) {
    const auto count = ::read(port, buffer.data(), buffer.size());
    if (count <= 0) {
      pause_ms(1);
      continue;
    }
    line.append(buffer.data(), static_cast<std::size_t>(count));
    if (line.back() == '\n') {
      line.pop_back();
      return line;
    }
    if (line.size() > k_longest_line) {
      throw Error(ErrorCode::protocol, "a line of more than {} bytes", k_longest_line);
    }
  }
}

void say(int port, const Json& document) {
  os::write_all(port, document.dump() + "\n");
}

/// Every request is answered; true from `follow` ends it. What is no line of JSON was left of a session.
void converse(int port, const std::function<bool(const std::string& what, const Json& request)>& follow) {
  while (true) {
    const auto request = maybe_parse_json(read_line(port));
    if (!request) {
      continue;
    }
    try {
      const bool done = follow(get_string(*request, "do"), *request);
      say(port, {{"ok", true}});
      if (done) {
        return;
      }
    } catch (const Error& error) {
      say(port, {{"error", to_json(error)}});
    }
  }
}

[[noreturn]] void refuse(const std::string& what) {
  throw Error(ErrorCode::protocol, "'do' is '{}'", what);
}

/// Returns what holds the writable layers.
os::Fd mount_everything(const Json& request) {
  const auto mount = protocol::guest_mount_from_json(request);
  mount_disks(mount);
  auto uppers = enter_guest_root(mount);
  mount_kernel_files();
  os::bring_up_loopback();
  prepare_identity();
  return uppers;
}

} // namespace

bool is_guest_init() {
  return ::getpid() == 1 && os::exists("/modules/order");
}

void boot_guest(const std::function<void(GuestBoot boot)>& mounted) {
  mount_early();
  use_console();
  load_modules();
  const auto channel = open_guest_channel();
  bool is_mounted = false;
  say(channel.get(), {{"guest", "pyro"}, {"version", protocol::k_guest_boot_version}});
  converse(channel.get(), [&](const std::string& what, const Json& request) {
    if (what == "mount" && !is_mounted) {
      mounted({os::duplicate(channel.get()), mount_everything(request)});
      is_mounted = true;
      return false;
    }
    if (what != "enter" || !is_mounted) {
      refuse(what);
    }
    take_identity(protocol::guest_enter_from_json(request));
    return true;
  });
}

Continuation await_continuation(int channel) {
  const int flags = ::fcntl(channel, F_GETFL);
  if (flags < 0 || ::fcntl(channel, F_SETFL, flags & ~O_NONBLOCK) < 0) {
    throw Error::from_errno(errno, "wait on the channel");
  }
  auto continuation = Continuation::same;
  converse(channel, [&](const std::string& what, const Json& request) {
    if (what == "stand") {
      prepare_renewal();
      os::write_all(channel, "\n"); // ends what was left of the session
      return false;
    }
    if (what == "resume") {
      set_clock(get_int(request, "epoch_ms"));
    } else if (what == "enter") {
      renew_identity(protocol::guest_enter_from_json(request));
      continuation = Continuation::clone;
    } else {
      refuse(what);
    }
    return true;
  });
  return continuation;
}

void power_off() {
  ::sync();
  // Firecracker has no power to switch off: its machines end when they start anew.
  ::reboot(has_vsock_channel() ? RB_AUTOBOOT : RB_POWER_OFF);
  while (true) {
    ::pause();
  }
}

} // namespace pyro::agent
