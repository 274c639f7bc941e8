#include "tap_device.hpp"

#include "network_link.hpp"

#include <pyro/base/error.hpp>

#include <linux/if_tun.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <net/if.h>

namespace pyro::os {

namespace {

constexpr unsigned short k_only_new = 0x8000; // IFF_TUN_EXCL, which does not fit a short without a cast

Fd open_tun() {
  try {
    return open_file("/dev/net/tun", O_RDWR);
  } catch (Error& error) {
    throw error.with_hint("modprobe tun, and run as root");
  }
}

ifreq request_for(const std::string& name, unsigned short flags) {
  ifreq request{};
  if (name.empty() || name.size() >= sizeof(request.ifr_name) || name.find('/') != std::string::npos) {
    throw Error(ErrorCode::invalid_argument, "'{}' is no name of a network device", name);
  }
  std::memcpy(request.ifr_name, name.c_str(), name.size());
  request.ifr_flags = static_cast<short>(flags);
  return request;
}

} // namespace

bool make_tap(const std::string& name, const TapOwner& owner, const std::string& alias) {
  const auto tun = open_tun();
  auto request = request_for(name, IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | k_only_new);
  if (::ioctl(tun.get(), TUNSETIFF, &request) < 0) {
    const int error_number = errno;
    if (error_number == EBUSY || error_number == EEXIST) {
      return false;
    }
    throw Error::from_errno(error_number, "make the TAP device " + name);
  }
  // Until TUNSETPERSIST it goes when this descriptor does.
  set_link_alias(name, alias);
  if (::ioctl(tun.get(), TUNSETOWNER, owner.uid) < 0 || ::ioctl(tun.get(), TUNSETGROUP, owner.gid) < 0
      || ::ioctl(tun.get(), TUNSETPERSIST, 1) < 0) {
    throw Error::from_errno(errno, "set up the TAP device " + name);
  }
  return true;
}

Fd open_tap(const std::string& name) {
  if (!find_network_link(name)) { // else it would be made
    throw Error(ErrorCode::io, "there is no network device {}", name);
  }
  auto tun = open_tun();
  auto request = request_for(name, IFF_TAP | IFF_NO_PI | IFF_VNET_HDR);
  if (::ioctl(tun.get(), TUNSETIFF, &request) < 0) {
    throw Error::from_errno(errno, "open the TAP device " + name);
  }
  return tun;
}

} // namespace pyro::os
