#include "modules.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/text.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/fd.hpp>

#include <sys/syscall.h>

#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

namespace pyro::agent {

void load_modules() {
  constexpr const char* k_folder = "/modules";
  const auto order = os::read_file(fmt::format("{}/order", k_folder));
  for (const auto line : lines_of(order)) {
    const auto path = fmt::format("{}/{}", k_folder, line);
    const auto file = os::open_file(path, O_RDONLY);
    if (::syscall(SYS_finit_module, file.get(), "", 0) < 0 && errno != EEXIST) {
      throw Error::from_errno(errno, fmt::format("load the module {}", line));
    }
  }
  os::remove_tree(k_folder);
}

} // namespace pyro::agent
