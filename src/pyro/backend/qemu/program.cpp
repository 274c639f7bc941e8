#include "program.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/process.hpp>

namespace pyro::backend::qemu {

std::string find_qemu() {
  const auto path = os::find_program("qemu-system-x86_64");
  if (!path) {
    throw Error(ErrorCode::unavailable, "virtual machines need the program qemu-system-x86_64")
        .with_hint("apt install qemu-system-x86");
  }
  return *path;
}

} // namespace pyro::backend::qemu
