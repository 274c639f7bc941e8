#include "seclusion.hpp"

#include <linux/capability.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <sched.h>
#include <string_view>
#include <unistd.h>

namespace pyro::os {

namespace {

/// Whatever else it may do, it must not change its network. Root's own directories may lie in those of
/// others.
bool drop_privileges() noexcept {
  for (unsigned long capability = 0;; ++capability) {
    if (capability == CAP_DAC_OVERRIDE || capability == CAP_DAC_READ_SEARCH) {
      continue;
    }
    if (::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0) {
      if (errno != EINVAL) {
        return false;
      }
      break; // there are no more
    }
  }
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  const std::uint32_t kept = (1U << CAP_DAC_OVERRIDE) | (1U << CAP_DAC_READ_SEARCH);
  const std::array<__user_cap_data_struct, 2> sets{{{kept, kept, 0}, {0, 0, 0}}};
  return ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == 0
         && ::syscall(SYS_capset, &header, sets.data()) == 0 && ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

bool write_to(const char* path, std::string_view text) noexcept {
  const int file = ::open(path, O_WRONLY | O_CLOEXEC);
  const bool is_written =
      file >= 0 && ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const int error = errno;
  if (file >= 0) {
    ::close(file);
  }
  errno = error;
  return is_written;
}

/// Itself again, after it was root of the namespace that it joined: programs look for other files then.
bool become_ordinary(const Seclusion& seclusion) noexcept {
  return ::unshare(CLONE_NEWUSER) == 0 && write_to("/proc/self/setgroups", "deny")
         && write_to("/proc/self/uid_map", seclusion.uid_map)
         && write_to("/proc/self/gid_map", seclusion.gid_map);
}

} // namespace

bool seclude_this_process(const Seclusion& seclusion) noexcept {
  if (seclusion.network_namespace < 0) {
    return true;
  }
  const auto joins = [](int target, int kind) noexcept {
    return target < 0 || ::setns(target, kind) == 0;
  };
  if (!joins(seclusion.user_namespace, CLONE_NEWUSER) || !joins(seclusion.network_namespace, CLONE_NEWNET)) {
    return false;
  }
  if (!seclusion.resolv_conf.empty()
      && (::unshare(CLONE_NEWNS) != 0 || ::mount("", "/", "", MS_REC | MS_PRIVATE, "") != 0
          || ::mount(seclusion.resolv_conf.c_str(), "/etc/resolv.conf", "", MS_BIND, "") != 0)) {
    return false;
  }
  return (seclusion.user_namespace < 0 || become_ordinary(seclusion)) && drop_privileges();
}

bool limit_file_size(std::uint64_t bytes) noexcept {
  rlimit limit{};
  if (::getrlimit(RLIMIT_FSIZE, &limit) != 0) {
    return false;
  }
  limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
  limit.rlim_max = limit.rlim_cur;
  return ::setrlimit(RLIMIT_FSIZE, &limit) == 0;
}

} // namespace pyro::os
