#include "identity.hpp"

#include "network.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/os/hosts_file.hpp>
#include <pyro/os/mount.hpp>
#include <pyro/os/random.hpp>

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
constexpr const char* k_machine_id = "/etc/machine-id";
constexpr const char* k_resolv_conf = "/etc/resolv.conf";
constexpr const char* k_hosts = "/etc/hosts";
constexpr mode_t k_hosts_mode = 0644; // its owner may add to it
constexpr const char* k_boot_id = "/proc/sys/kernel/random/boot_id";

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

void set_host_name(const std::string& name) {
  if (::sethostname(name.data(), name.size()) < 0) {
    throw Error::from_errno(errno, "set the host name");
  }
}

std::string cover_of(const std::string& path) {
  return k_ours + path.substr(path.rfind('/') + 1);
}

void write_cover(const std::string& path, std::string_view text, mode_t mode = 0444) {
  os::write_all(os::open_file(cover_of(path), O_CREAT | O_TRUNC | O_WRONLY | O_NOFOLLOW, mode).get(), text);
}

/// A file of ours in /run/pyro over one of the environment's or the kernel's, where that is a regular file.
void cover(const std::string& path, std::string_view text, mode_t mode = 0444) {
  write_cover(path, text, mode);
  const auto root = os::open_file("/", O_PATH | O_DIRECTORY);
  const auto target = os::maybe_open_beneath(root.get(), path.substr(1), O_PATH);
  if (target) {
    os::mount_at(cover_of(path), fmt::format("/proc/self/fd/{}", target->get()), "", MS_BIND, "");
  }
}

/// Open from before a guest is saved, so that its clones have little left to do.
struct Renewal {
  os::Fd machine_id; // the file over the environment's
  os::Fd boot_id;    // the file over the kernel's
};

Renewal& renewal() {
  static Renewal instance;
  return instance;
}

os::Fd cover_to_rewrite(const std::string& path, std::string_view text) {
  cover(path, text);
  return os::open_file(cover_of(path), O_WRONLY | O_NOFOLLOW);
}

/// What /etc/hosts says by now, with this name. Not in build steps, whose layer has what they write there.
std::optional<std::string> hosts_for(const std::string& hostname) {
  const auto root = os::open_file("/", O_PATH | O_DIRECTORY);
  const auto own = hostname == os::k_step_hostname ? std::nullopt : os::maybe_read_hosts(root.get());
  return own ? std::optional(os::hosts_with_name(*own, hostname)) : std::nullopt;
}

/// By another text of the same length, or of an empty one.
void rewrite(const os::Fd& file, const std::string& text) {
  if (::pwrite(file.get(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
    throw Error::from_errno(errno, "write what makes this guest unlike others");
  }
}

/// The environment's own shows again.
void uncover(const std::string& path) {
  const auto root = os::open_file("/", O_PATH | O_DIRECTORY);
  if (const auto target = os::maybe_open_beneath(root.get(), path.substr(1), O_PATH)) {
    ::umount2(fmt::format("/proc/self/fd/{}", target->get()).c_str(), MNT_DETACH);
  }
}

/// As random(4) writes it: a random UUID (RFC 9562, version 4).
std::string new_boot_id() {
  auto hex = os::random_hex(16);
  hex[12] = '4';
  hex[16] = "89ab"[hex[16] % 4];
  for (const std::size_t at : {20U, 16U, 12U, 8U}) {
    hex.insert(at, 1, '-');
  }
  return hex;
}

} // namespace

void set_clock(std::int64_t epoch_ms) {
  timespec now{};
  now.tv_sec = static_cast<time_t>(epoch_ms / 1000);
  now.tv_nsec = static_cast<long>(epoch_ms % 1000) * 1000000;
  if (::clock_settime(CLOCK_REALTIME, &now) < 0) {
    throw Error::from_errno(errno, "set the clock");
  }
}

void prepare_identity() {
  renewal().machine_id = cover_to_rewrite(k_machine_id, "");
}

void prepare_renewal() {
  if (!renewal().boot_id) {
    renewal().boot_id = cover_to_rewrite(k_boot_id, os::read_file(k_boot_id));
  }
}

void renew_identity(const protocol::GuestEnter& enter) {
  feed_random_pool(bytes_of_hex(enter.entropy));
  set_clock(enter.epoch_ms);
  set_host_name(enter.hostname);
  rewrite(renewal().machine_id, enter.machine_id + "\n");
  rewrite(renewal().boot_id, new_boot_id() + "\n");
  if (enter.network) {
    write_cover(k_resolv_conf, enter.resolv_conf);
  }
  if (const auto hosts = hosts_for(enter.hostname)) {
    write_cover(k_hosts, *hosts, k_hosts_mode);
  }
}

void take_identity(const protocol::GuestEnter& enter) {
  feed_random_pool(bytes_of_hex(enter.entropy));
  set_clock(enter.epoch_ms);
  set_host_name(enter.hostname);
  if (!enter.machine_id.empty()) {
    rewrite(renewal().machine_id, enter.machine_id + "\n");
  } else {
    uncover(k_machine_id);
  }
  if (enter.network) {
    bring_up_network(enter);
    cover(k_resolv_conf, enter.resolv_conf);
  }
  if (const auto hosts = hosts_for(enter.hostname)) {
    cover(k_hosts, *hosts, k_hosts_mode);
  }
}

} // namespace pyro::agent
