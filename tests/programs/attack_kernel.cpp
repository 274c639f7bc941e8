// C. System calls that a sandbox has no business with, the filter on every thread, child and call table,
// capabilities.
#include "attack.hpp"

#include <linux/sched.h>
#include <sys/personality.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <fstream>
#include <sched.h>
#include <signal.h>
#include <string>
#include <thread>
#include <time.h>
#include <unistd.h>

namespace {

const std::initializer_list<int> k_denied{EPERM, EACCES, ENOSYS};

void calls() {
  char nothing[256] = {};

  struct clone_args_ {
    unsigned long long flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
  } arguments{};

  arguments.flags = CLONE_NEWUSER;
  arguments.exit_signal = SIGCHLD;

  const struct {
    const char* name;
    long number;
    long a, b, c, d, e;
  } list[] = {
      {"add_key", SYS_add_key, (long)"user", (long)"pyro", (long)nothing, 1, -3},
      {"request_key", SYS_request_key, (long)"user", (long)"pyro", 0, -3, 0},
      {"keyctl", SYS_keyctl, 0, -3, 0, 0, 0},
      {"bpf", SYS_bpf, 0, (long)nothing, sizeof nothing, 0, 0},
      {"perf_event_open", SYS_perf_event_open, (long)nothing, 0, -1, -1, 0},
      {"userfaultfd", SYS_userfaultfd, O_CLOEXEC, 0, 0, 0, 0},
      {"io_uring_setup", SYS_io_uring_setup, 4, (long)nothing, 0, 0, 0},
      {"io_setup", SYS_io_setup, 65536, (long)nothing, 0, 0, 0},
      {"kexec_load", SYS_kexec_load, 0, 0, 0, 0, 0},
      {"kexec_file_load", SYS_kexec_file_load, -1, -1, 0, 0, 0},
      {"init_module", SYS_init_module, (long)nothing, sizeof nothing, (long)"", 0, 0},
      {"finit_module", SYS_finit_module, 0, (long)"", 0, 0, 0},
      {"delete_module", SYS_delete_module, (long)"none", 0, 0, 0, 0},
      {"open_by_handle_at", SYS_open_by_handle_at, AT_FDCWD, (long)nothing, 0, 0, 0},
      {"name_to_handle_at", SYS_name_to_handle_at, AT_FDCWD, (long)"/", (long)nothing, (long)(nothing + 200),
       0},
      {"quotactl", SYS_quotactl, 0, 0, 0, 0, 0},
      {"acct", SYS_acct, (long)"/tmp/acct", 0, 0, 0, 0},
      {"swapon", SYS_swapon, (long)"/tmp/swap", 0, 0, 0, 0},
      {"swapoff", SYS_swapoff, (long)"/tmp/swap", 0, 0, 0, 0},
      {"iopl", SYS_iopl, 3, 0, 0, 0, 0},
      {"ioperm", SYS_ioperm, 0x80, 1, 1, 0, 0},
      {"reboot", SYS_reboot, 0xfee1dead, 672274793, 0, 0, 0}, // CAD off: harmless even where allowed
      {"syslog", SYS_syslog, 3, (long)nothing, sizeof nothing, 0, 0},
      {"settimeofday", SYS_settimeofday, (long)nothing, 0, 0, 0, 0},
      {"lookup_dcookie", SYS_lookup_dcookie, 0, (long)nothing, sizeof nothing, 0, 0},
      {"unshare_user", SYS_unshare, CLONE_NEWUSER, 0, 0, 0, 0},
      {"unshare_mount", SYS_unshare, CLONE_NEWNS, 0, 0, 0, 0},
      {"unshare_net", SYS_unshare, CLONE_NEWNET, 0, 0, 0, 0},
      {"clone3_newuser", SYS_clone3, (long)&arguments, sizeof arguments, 0, 0, 0},
      {"clone_newuser", SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0},
      {"fanotify_init", SYS_fanotify_init, 0, 0, 0, 0, 0},
      {"nfsservctl", SYS_nfsservctl, 0, 0, 0, 0, 0},
      {"uselib", SYS_uselib, (long)"/bin/true", 0, 0, 0, 0},
      {"ustat", SYS_ustat, 0, 0, 0, 0, 0},
  };

  for (const auto& call : list) {
    const long result = ::syscall(call.number, call.a, call.b, call.c, call.d, call.e);
    if (result == 0 && (call.number == SYS_clone || call.number == SYS_clone3)) {
      ::_exit(0); // the child of a clone that was let through
    }
    attack::refused(std::string("syscall.") + call.name, result, k_denied);
  }
  const int own = ::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
  if (own < 0) {
    attack::missing("syscall.setns", attack::error_name(errno));
  } else {
    attack::refused("syscall.setns", ::setns(own, CLONE_NEWNET), k_denied);
  }
  attack::refused("syscall.personality", ::personality(ADDR_NO_RANDOMIZE | READ_IMPLIES_EXEC), k_denied);
  timespec later{2'000'000'000, 0};
  attack::refused("syscall.clock_settime", ::clock_settime(CLOCK_REALTIME, &later), k_denied);
  attack::refused("syscall.sethostname", ::sethostname("owned", 5), k_denied);
}

void sockets() {
  const std::initializer_list<int> denied{EPERM,        EACCES,          ENOSYS,
                                          EAFNOSUPPORT, EPROTONOSUPPORT, ESOCKTNOSUPPORT};

  const struct {
    const char* name;
    int family, type, protocol;
  } list[] = {
      {"alg", 38, SOCK_SEQPACKET, 0},
      {"rxrpc", 33, SOCK_DGRAM, 2},
      {"key", 15, SOCK_RAW, 2},
      {"packet", 17, SOCK_RAW, 0x0300},
      {"packet_dgram", 17, SOCK_DGRAM, 0},
      {"vsock", 40, SOCK_STREAM, 0},
      {"xfrm", 16, SOCK_RAW, 6},
      {"netfilter", 16, SOCK_RAW, 12},
      {"raw_tcp", 2, SOCK_RAW, 6},
      {"raw_icmp", 2, SOCK_RAW, 1},
      {"raw6", 10, SOCK_RAW, 58},
      {"bluetooth", 31, SOCK_RAW, 1},
      {"can", 29, SOCK_RAW, 1},
      {"tipc", 30, SOCK_RDM, 0},
      {"nfc", 39, SOCK_RAW, 0},
      {"kcm", 41, SOCK_DGRAM, 0},
      {"xdp", 44, SOCK_RAW, 0},
      {"appletalk", 5, SOCK_DGRAM, 0},
      {"audit", 16, SOCK_RAW, 9},
      {"uevent", 16, SOCK_RAW, 15},
  };

  for (const auto& one : list) {
    const int made = ::socket(one.family, one.type | SOCK_CLOEXEC, one.protocol);
    attack::refused(std::string("socket.") + one.name, made, denied);
    if (made >= 0) {
      ::close(made);
    }
  }
}

/// The kernel takes the low half of these arguments: a filter that compares all of it lets them pass.
void upper_halves() {
  const std::initializer_list<int> denied{EPERM,        EACCES,          ENOSYS,
                                          EAFNOSUPPORT, EPROTONOSUPPORT, ESOCKTNOSUPPORT};
  const auto high = [](long value) {
    return value | 1L << 32;
  };
  for (const int family : {38, 33, 15, 17, 40, 29, 31, 44}) {
    const long made = ::syscall(SYS_socket, high(family), SOCK_STREAM | SOCK_CLOEXEC, 0);
    attack::refused("upper.family_" + std::to_string(family), made, denied);
  }
  for (const int protocol : {6, 9, 10, 12, 15, 16, 21}) {
    const long made = ::syscall(SYS_socket, high(16), high(SOCK_RAW | SOCK_CLOEXEC), high(protocol));
    attack::refused("upper.netlink_" + std::to_string(protocol), made, denied);
  }
  attack::refused("upper.raw", ::syscall(SYS_socket, high(2), high(SOCK_RAW), high(6)), denied);
  attack::refused("upper.sctp", ::syscall(SYS_socket, high(2), high(SOCK_STREAM), high(132)), denied);
  int both[2];
  for (const int family : {40, 30, 2}) {
    attack::refused(
        "socketpair.family_" + std::to_string(family),
        ::syscall(SYS_socketpair, family, SOCK_STREAM, 0, both), denied);
    attack::refused(
        "upper.socketpair_" + std::to_string(family),
        ::syscall(SYS_socketpair, high(family), SOCK_STREAM, 0, both), denied);
  }
  for (const long value : {0x40000L, 0x400000L, 0x80040000L, 0x80400000L, 0x7fffffffL}) {
    const auto name = std::to_string(value);
    attack::refused("personality." + name, ::syscall(SYS_personality, value), k_denied);
    attack::refused("upper.personality_" + name, ::syscall(SYS_personality, high(value)), k_denied);
  }
  attack::refused("upper.tiocsti", ::syscall(SYS_ioctl, 0, high(0x5412), "x"), k_denied);
  attack::refused("upper.tioclinux", ::syscall(SYS_ioctl, 0, high(0x541c), "x"), k_denied);
  attack::refused(
      "upper.clone_newuser", ::syscall(SYS_clone, high(CLONE_NEWUSER | SIGCHLD), 0, 0, 0, 0), k_denied);
}

/// The 32-bit entry and the x32 table have other numbers; a filter for one table lets them pass.
void other_tables() {
  const auto in_child = [](const std::string& name, long (*call)()) {
    const pid_t child = ::fork();
    if (child == 0) {
      const long result = call();
      ::_exit(result >= 0 ? 0 : result == -EPERM || result == -ENOSYS || result == -EACCES ? 1 : 2);
    }
    int status = 0;
    if (child < 0 || ::waitpid(child, &status, 0) != child) {
      attack::missing(name, "no child");
    } else if (WIFSIGNALED(status)) {
      attack::holds(name, WTERMSIG(status) == SIGSYS || WTERMSIG(status) == SIGSEGV, "killed by a signal");
    } else if (WEXITSTATUS(status) == 2) {
      attack::missing(name, "another error");
    } else {
      attack::holds(name, WEXITSTATUS(status) == 1, WEXITSTATUS(status) == 1 ? "refused" : "allowed");
    }
  };
#ifdef __x86_64__
  in_child("tables.int80_unshare", [] {
    long result = 310; // unshare on i386
    asm volatile("int $0x80" : "+a"(result) : "b"(CLONE_NEWUSER) : "memory");
    return static_cast<long>(static_cast<int>(result));
  });
  in_child("tables.int80_keyctl", [] {
    long result = 288;
    asm volatile("int $0x80" : "+a"(result) : "b"(0), "c"(-3), "d"(1) : "memory");
    return static_cast<long>(static_cast<int>(result));
  });
  in_child("tables.x32_unshare", [] {
    const long result = ::syscall(0x40000000 | SYS_unshare, CLONE_NEWUSER);
    return result < 0 ? static_cast<long>(-errno) : result;
  });
#endif
}

std::string status_line(const std::string& file, const std::string& key) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with(key + ":")) {
      return line.substr(line.find_first_not_of(" \t", key.size() + 1));
    }
  }
  return "";
}

void filter_everywhere() {
  attack::holds(
      "filter.process", status_line("/proc/self/status", "Seccomp") == "2",
      "Seccomp " + status_line("/proc/self/status", "Seccomp"));
  std::string of_thread;
  std::thread([&] { of_thread = status_line("/proc/thread-self/status", "Seccomp"); }).join();
  attack::holds("filter.thread", of_thread == "2", "Seccomp " + of_thread);
  const pid_t child = ::fork();
  if (child == 0) {
    ::_exit(status_line("/proc/self/status", "Seccomp") == "2" ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  attack::holds("filter.child", WIFEXITED(status) && WEXITSTATUS(status) == 0, "forked child");
  const std::string of_init = status_line("/proc/1/status", "NoNewPrivs");
  attack::holds(
      "privileges.no_new", status_line("/proc/self/status", "NoNewPrivs") == "1",
      "NoNewPrivs; of pid 1: " + of_init);
}

void capabilities() {
  // What a container does not have by default.
  const struct {
    const char* name;
    int bit;
  } forbidden[] = {
      {"dac_read_search", 2},
      {"linux_immutable", 9},
      {"net_admin", 12},
      {"ipc_lock", 14},
      {"ipc_owner", 15},
      {"sys_module", 16},
      {"sys_rawio", 17},
      {"sys_ptrace", 19},
      {"sys_pacct", 20},
      {"sys_admin", 21},
      {"sys_boot", 22},
      {"sys_nice", 23},
      {"sys_resource", 24},
      {"sys_time", 25},
      {"sys_tty_config", 26},
      {"lease", 28},
      {"audit_control", 30},
      {"mac_override", 32},
      {"mac_admin", 33},
      {"syslog", 34},
      {"wake_alarm", 35},
      {"block_suspend", 36},
      {"audit_read", 37},
      {"perfmon", 38},
      {"bpf", 39},
      {"checkpoint_restore", 40}};

  for (const char* set : {"CapEff", "CapPrm", "CapBnd", "CapInh", "CapAmb"}) {
    const auto mask = std::stoull("0" + status_line("/proc/self/status", set), nullptr, 16);
    std::string held;
    for (const auto& one : forbidden) {
      held += (mask >> one.bit & 1) != 0 ? std::string(one.name) + " " : "";
    }
    attack::holds(
        std::string("capabilities.") + set, held.empty(),
        held.empty() ? "none that a container lacks" : held);
  }
}

} // namespace

int main() {
  calls();
  sockets();
  upper_halves();
  other_tables();
  filter_everywhere();
  capabilities();
  return attack::done();
}
