#include "hardening.hpp"

#include <pyro/base/error.hpp>

#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <unistd.h>

namespace pyro::backend::namespaces {

namespace {

constexpr std::array k_kept{
    CAP_CHOWN,  CAP_DAC_OVERRIDE, CAP_FOWNER,           CAP_FSETID,     CAP_KILL,        CAP_SETGID,
    CAP_SETUID, CAP_SETPCAP,      CAP_NET_BIND_SERVICE, CAP_SYS_CHROOT, CAP_AUDIT_WRITE, CAP_SETFCAP};

sock_filter k_program[]{
#include <pyro/seccomp_program.inc>
};

bool is_kept(int capability) {
  return std::find(k_kept.begin(), k_kept.end(), capability) != k_kept.end();
}

} // namespace

void drop_capabilities() {
  for (int capability = 0; capability < 64; ++capability) {
    if (!is_kept(capability) && ::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0 && errno != EINVAL) {
      throw Error::from_errno(errno, fmt::format("drop capability {}", capability));
    }
  }
  if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0) {
    throw Error::from_errno(errno, "clear ambient capabilities");
  }
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> sets{};
  for (const int capability : k_kept) {
    auto& set = sets[static_cast<std::size_t>(capability) / 32];
    set.effective |= 1U << (capability % 32);
    set.permitted |= 1U << (capability % 32);
  }
  if (::syscall(SYS_capset, &header, sets.data()) < 0) {
    throw Error::from_errno(errno, "capset");
  }
}

void enter_seccomp() {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
    throw Error::from_errno(errno, "no_new_privs");
  }
  const sock_fprog program{static_cast<unsigned short>(std::size(k_program)), k_program};
  if (::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0) {
    throw Error::from_errno(errno, "seccomp");
  }
}

void set_resource_limits(std::int64_t pids) {
  const rlimit none{0, 0};
  if (::setrlimit(RLIMIT_CORE, &none) < 0) {
    throw Error::from_errno(errno, "setrlimit(CORE)");
  }
  if (pids > 0) {
    const rlimit processes{static_cast<rlim_t>(pids), static_cast<rlim_t>(pids)};
    if (::setrlimit(RLIMIT_NPROC, &processes) < 0) {
      throw Error::from_errno(errno, "setrlimit(NPROC)");
    }
  }
}

} // namespace pyro::backend::namespaces
