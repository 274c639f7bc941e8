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
#include <tuple>
#include <unistd.h>

namespace pyro::backend::namespaces {

namespace {

constexpr std::array k_kept{
    CAP_CHOWN,  CAP_DAC_OVERRIDE, CAP_FOWNER,           CAP_FSETID,     CAP_KILL,        CAP_SETGID,
    CAP_SETUID, CAP_SETPCAP,      CAP_NET_BIND_SERVICE, CAP_SYS_CHROOT, CAP_AUDIT_WRITE, CAP_SETFCAP};

sock_filter k_program[]{
#include <pyro/seccomp_program.inc>
};

/// Of the agent alone, which looks in /proc for the processes of a service and for who listens where,
/// whoever's they are. ptrace(2) and its like stay refused by the filter. As it is not in the bounding set,
/// nobody gets it from a program; the agent does as inheritable, and gives that up before it starts anybody.
constexpr int k_of_agent = CAP_SYS_PTRACE;

bool is_kept(int capability) {
  return std::find(k_kept.begin(), k_kept.end(), capability) != k_kept.end();
}

} // namespace

void drop_capabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> sets{};
  const auto set = [&](const char* what) {
    if (::syscall(SYS_capset, &header, sets.data()) < 0) {
      throw Error::from_errno(errno, what);
    }
  };
  if (::syscall(SYS_capget, &header, sets.data()) < 0) {
    throw Error::from_errno(errno, "capget");
  }
  sets[0].inheritable = 1U << k_of_agent;
  sets[1].inheritable = 0;
  set("capset (inheritable)"); // while it is in the bounding set
  for (int capability = 0; capability < 64; ++capability) {
    if (!is_kept(capability) && ::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0 && errno != EINVAL) {
      throw Error::from_errno(errno, fmt::format("drop capability {}", capability));
    }
  }
  if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0) {
    throw Error::from_errno(errno, "clear ambient capabilities");
  }
  sets = {};
  sets[0].inheritable = 1U << k_of_agent;
  sets[0].permitted = 1U << k_of_agent; // with no_new_privs a program gets nothing that was not there
  for (const int capability : k_kept) {
    auto& half = sets[static_cast<std::size_t>(capability) / 32];
    half.effective |= 1U << (capability % 32);
    half.permitted |= 1U << (capability % 32);
  }
  set("capset");
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

namespace {

/// Of one process, where there may be `pids` of them.
rlim_t descriptors_of_process(rlim_t allowed, std::int64_t pids, std::uint64_t file_max) {
  constexpr rlim_t k_usual = 1024; // what programs count on to have
  const auto share = file_max / 2 / static_cast<std::uint64_t>(std::max<std::int64_t>(pids, 1));
  return std::min(allowed, std::max<rlim_t>(share, k_usual));
}

} // namespace

void set_resource_limits(std::int64_t pids, std::uint64_t file_max) {
  const auto set = [](__rlimit_resource resource, const char* name, rlimit limit) {
    if (::setrlimit(resource, &limit) < 0) {
      throw Error::from_errno(errno, fmt::format("setrlimit({})", name));
    }
  };
  set(RLIMIT_CORE, "CORE", {0, 0});
  if (pids > 0) {
    rlimit now{}; // of a machine with little memory, or of whoever has few: only the kernel's own root may
                  // raise it
    std::ignore = ::getrlimit(RLIMIT_NPROC, &now);
    const auto most = std::min(static_cast<rlim_t>(pids), now.rlim_max);
    set(RLIMIT_NPROC, "NPROC", {most, most});
  }
  // Not more than the namespace has, whatever a program asks for.
  for (const auto resource : {RLIMIT_SIGPENDING, RLIMIT_MSGQUEUE, RLIMIT_MEMLOCK}) {
    rlimit now{};
    std::ignore = ::getrlimit(resource, &now);
    set(resource, "SIGPENDING, MSGQUEUE, MEMLOCK", {now.rlim_cur, now.rlim_cur});
  }
  rlimit files{};
  std::ignore = ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_max = descriptors_of_process(files.rlim_max, pids, file_max);
  files.rlim_cur = std::min(files.rlim_cur, files.rlim_max);
  set(RLIMIT_NOFILE, "NOFILE", files);
}

} // namespace pyro::backend::namespaces
