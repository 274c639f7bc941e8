#include "guest_identity.hpp"

#include "guest_network.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/os/mount.hpp>

#include <linux/random.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <unistd.h>

namespace pyro::agent {

namespace {

constexpr const char* k_ours = "/run/pyro/";

std::string bytes_of_hex(const std::string& hex) {
  std::string bytes;
  for (std::size_t at = 0; at + 1 < hex.size(); at += 2) {
    bytes.push_back(static_cast<char>(std::stoi(hex.substr(at, 2), nullptr, 16)));
  }
  return bytes;
}

/// random(4): credited entropy, then a reseed at once, for the next number must be nobody else's.
void feed_random_pool(const std::string& seed) {
  std::vector<char> memory(sizeof(rand_pool_info) + seed.size());
  auto* pool = reinterpret_cast<rand_pool_info*>(memory.data());
  pool->entropy_count = static_cast<int>(seed.size() * 8);
  pool->buf_size = static_cast<int>(seed.size());
  std::memcpy(pool->buf, seed.data(), seed.size());
  const auto device = os::open_file("/dev/urandom", O_WRONLY);
  if (::ioctl(device.get(), RNDADDENTROPY, pool) < 0 || ::ioctl(device.get(), RNDRESEEDCRNG) < 0) {
    throw Error::from_errno(errno, "feed the random pool");
  }
}

void set_clock(std::int64_t epoch_ms) {
  timespec now{};
  now.tv_sec = static_cast<time_t>(epoch_ms / 1000);
  now.tv_nsec = static_cast<long>(epoch_ms % 1000) * 1000000;
  if (::clock_settime(CLOCK_REALTIME, &now) < 0) {
    throw Error::from_errno(errno, "set the clock");
  }
}

/// A file of ours in /run/pyro over one of the environment's or the kernel's, where that is a regular file.
void cover(const std::string& path, std::string_view text) {
  const auto ours = k_ours + path.substr(path.rfind('/') + 1);
  os::write_all(os::open_file(ours, O_CREAT | O_TRUNC | O_WRONLY | O_NOFOLLOW, 0444).get(), text);
  const auto root = os::open_file("/", O_PATH | O_DIRECTORY);
  const auto target = os::maybe_open_beneath(root.get(), path.substr(1), O_PATH);
  if (target) {
    os::mount_at(ours, fmt::format("/proc/self/fd/{}", target->get()), "", MS_BIND, "");
  }
}

} // namespace

void take_identity(const protocol::GuestEnter& enter) {
  feed_random_pool(bytes_of_hex(enter.entropy));
  set_clock(enter.epoch_ms);
  if (::sethostname(enter.hostname.data(), enter.hostname.size()) < 0) {
    throw Error::from_errno(errno, "set the host name");
  }
  if (!enter.machine_id.empty()) {
    cover("/etc/machine-id", enter.machine_id + "\n");
  }
  if (enter.network) {
    bring_up_network(enter);
    cover("/etc/resolv.conf", enter.resolv_conf);
  }
}

} // namespace pyro::agent
