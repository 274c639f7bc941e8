#include "private_mounts.hpp"

#include "../support/files.hpp"

#include <sys/mount.h>

#include <cerrno>
#include <cstring>
#include <sched.h>
#include <stdexcept>
#include <unistd.h>

namespace pyro::testing {

namespace {

void check(int result, const std::string& what) {
  if (result != 0) {
    throw std::runtime_error(what + ": " + std::strerror(errno));
  }
}

} // namespace

std::string enter_private_mounts() {
  static const auto answer = []() -> std::string {
    if (::geteuid() != 0) {
      return "mounts need root: in a user namespace of its own pyro would not be the ordinary user that it "
             "is outside";
    }
    if (::unshare(CLONE_NEWNS) != 0) {
      return std::string("no mount namespace of its own: ") + std::strerror(errno);
    }
    check(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), "make mounts private");
    return "";
  }();
  return answer;
}

void mount_small_disk(const fs::path& place, const std::string& size) {
  check(
      ::mount(
          "pyro-test", place.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, ("size=" + size + ",mode=0755").c_str()),
      "mount a small disk at " + place.string());
}

void unmount(const fs::path& place) {
  check(::umount2(place.c_str(), UMOUNT_NOFOLLOW), "unmount " + place.string());
}

void make_read_only(const fs::path& place) {
  check(::mount(place.c_str(), place.c_str(), nullptr, MS_BIND, nullptr), "bind " + place.string());
  check(
      ::mount(
          nullptr, place.c_str(), nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV, nullptr),
      "make read-only " + place.string());
}

} // namespace pyro::testing
