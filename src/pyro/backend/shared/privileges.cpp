#include "privileges.hpp"

#include <pyro/base/error.hpp>

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <array>
#include <cerrno>
#include <unistd.h>

namespace pyro::backend {

void give_up_privileges() {
  for (int capability = 0; capability < 64; ++capability) {
    if (::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0 && errno != EINVAL) {
      throw Error::from_errno(errno, fmt::format("drop capability {}", capability));
    }
  }
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> sets{};
  if (::syscall(SYS_capset, &header, sets.data()) < 0 || ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
    throw Error::from_errno(errno, "give up privileges");
  }
}

} // namespace pyro::backend
