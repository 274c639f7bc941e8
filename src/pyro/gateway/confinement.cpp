#include "confinement.hpp"

#include <pyro/base/error.hpp>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <openssl/ssl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <array>
#include <bit>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <fcntl.h>
#include <vector>

namespace pyro::gateway {

namespace {

static_assert(std::endian::native == std::endian::little, "the low half of an argument is where it begins");

#if defined(__x86_64__)
constexpr std::uint32_t k_table = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t k_table = AUDIT_ARCH_AARCH64;
#else
#error "which table of system calls?"
#endif

/// A call that is allowed where its argument has `value` in the bits of `mask`.
struct Rule {
  std::uint32_t call;
  unsigned argument = 0;
  std::uint32_t mask = 0; // 0: whatever the argument
  std::uint32_t value = 0;
};

constexpr std::uint32_t k_whole = 0xffffffff;

constexpr std::array k_rules{
    // carrying
    Rule{SYS_splice},
    Rule{SYS_recvfrom},
    Rule{SYS_sendto},
    Rule{SYS_recvmsg},
    Rule{SYS_sendmsg},
    Rule{SYS_sendmmsg},
    Rule{SYS_read},
    Rule{SYS_readv},
    Rule{SYS_write},
    Rule{SYS_writev},
    Rule{SYS_epoll_pwait},
    Rule{SYS_epoll_ctl},
    Rule{SYS_epoll_create1},
    Rule{SYS_ppoll},
    Rule{SYS_pselect6},
    Rule{SYS_timerfd_create},
    Rule{SYS_timerfd_settime},
    Rule{SYS_eventfd2},
    Rule{SYS_pipe2},
    Rule{SYS_close},
#ifdef SYS_epoll_wait
    Rule{SYS_epoll_wait},
    Rule{SYS_poll},
    Rule{SYS_select},
#endif
    // connections and names: TCP, UDP, the addresses of this machine
    Rule{SYS_socket, 0, k_whole, AF_INET},
    Rule{SYS_socket, 0, k_whole, AF_INET6},
    Rule{SYS_socket, 0, k_whole, AF_NETLINK},
    Rule{SYS_connect},
    Rule{SYS_bind},
    Rule{SYS_accept4},
    Rule{SYS_shutdown},
    Rule{SYS_getsockname},
    Rule{SYS_getpeername},
    Rule{SYS_getsockopt},
    Rule{SYS_setsockopt},
    Rule{SYS_fcntl},
    Rule{SYS_ioctl, 1, k_whole, FIONREAD},
    Rule{SYS_ioctl, 1, k_whole, FIONBIO},
    // files, to be read
    Rule{SYS_openat, 2, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY},
#ifdef SYS_open
    Rule{SYS_open, 1, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY},
    Rule{SYS_stat},
    Rule{SYS_access},
#endif
    Rule{SYS_fstat},
    Rule{SYS_newfstatat},
    Rule{SYS_statx},
    Rule{SYS_faccessat},
    Rule{SYS_lseek},
    Rule{SYS_pread64},
    Rule{SYS_getdents64},
    // memory that is not executed, time, and the process itself
    Rule{SYS_brk},
    Rule{SYS_mmap, 2, PROT_EXEC, 0},
    Rule{SYS_mprotect, 2, PROT_EXEC, 0},
    Rule{SYS_munmap},
    Rule{SYS_mremap},
    Rule{SYS_madvise},
    Rule{SYS_futex},
    Rule{SYS_clock_gettime},
    Rule{SYS_clock_nanosleep},
    Rule{SYS_gettimeofday},
    Rule{SYS_getrandom},
    Rule{SYS_getpid},
    Rule{SYS_gettid},
    Rule{SYS_getuid},
    Rule{SYS_geteuid},
    Rule{SYS_getgid},
    Rule{SYS_getegid},
    Rule{SYS_uname},
    Rule{SYS_rt_sigaction},
    Rule{SYS_rt_sigprocmask},
    Rule{SYS_rt_sigreturn},
    Rule{SYS_restart_syscall},
    Rule{SYS_tgkill}, // abort(3)
    Rule{SYS_exit},
    Rule{SYS_exit_group},
};

std::vector<sock_filter> program() {
  std::vector<sock_filter> steps{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, k_table, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
  };
  for (const auto& rule : k_rules) {
    const std::uint8_t past = rule.mask == 0 ? 1 : 4;
    steps.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)));
    steps.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, rule.call, 0, past));
    if (rule.mask != 0) {
      const auto low_half =
          static_cast<std::uint32_t>(offsetof(seccomp_data, args) + rule.argument * sizeof(std::uint64_t));
      steps.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, low_half));
      steps.push_back(BPF_STMT(BPF_ALU | BPF_AND | BPF_K, rule.mask));
      steps.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, rule.value, 0, 1));
    }
    steps.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  }
  steps.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM));
  return steps;
}

} // namespace

void confine_process() {
  // With its configuration and what that loads.
  if (OPENSSL_init_ssl(OPENSSL_INIT_LOAD_CONFIG, nullptr) != 1) {
    throw Error(ErrorCode::failed, "OpenSSL cannot be initialized");
  }
  auto steps = program();
  const sock_fprog filter{static_cast<unsigned short>(steps.size()), steps.data()};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0
      || ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) < 0) {
    throw Error::from_errno(errno, "confine the gateway (seccomp)");
  }
}

} // namespace pyro::gateway
