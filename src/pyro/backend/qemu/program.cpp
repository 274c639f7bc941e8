#include "program.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/process.hpp>

#include <sys/stat.h>

#include <cerrno>

namespace pyro::backend::qemu {

std::string find_qemu() {
  const auto path = os::find_program("qemu-system-x86_64");
  if (!path) {
    throw Error(ErrorCode::unavailable, "virtual machines need the program qemu-system-x86_64")
        .with_hint("apt install qemu-system-x86");
  }
  return *path;
}

std::string program_identity(const std::string& program) {
  struct stat status {};

  if (::stat(program.c_str(), &status) < 0) {
    throw Error::from_errno(errno, fmt::format("look at {}", program));
  }
  return fmt::format(
      "{}:{}:{}:{}.{}", status.st_dev, status.st_ino, status.st_size, status.st_mtim.tv_sec,
      status.st_mtim.tv_nsec);
}

} // namespace pyro::backend::qemu
