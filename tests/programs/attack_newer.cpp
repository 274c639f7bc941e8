// Ways around the filter that its table does not speak of: calls younger than the filter, arguments with
// high bits, groups of processes instead of processes, other names of the agent's files.
#include "attack.hpp"

#include <linux/netlink.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <csignal>
#include <cstdint>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <string>
#include <unistd.h>

namespace {

constexpr std::uint64_t k_high = std::uint64_t{1} << 32;
constexpr long k_open_tree_attr = 467;
constexpr long k_file_setattr = 469;

long call(
    long number, std::uint64_t a = 0, std::uint64_t b = 0, std::uint64_t c = 0, std::uint64_t d = 0,
    std::uint64_t e = 0) {
  return ::syscall(number, a, b, c, d, e);
}

/// A detached copy of a mount is what mount(2) is refused for, by a call of Linux 6.15.
void younger_calls() {
  struct {
    std::uint64_t set = 0;
    std::uint64_t clear = 1; // MOUNT_ATTR_RDONLY
    std::uint64_t propagation = 0;
    std::uint64_t user_namespace = 0;
  } attributes;

  const auto slash = reinterpret_cast<std::uint64_t>("/proc/sys");
  constexpr std::uint64_t k_clone = 1; // OPEN_TREE_CLONE
  const auto at = static_cast<std::uint64_t>(AT_FDCWD);
  attack::refused(
      "open_tree_attr-clone",
      call(
          k_open_tree_attr, at, slash, k_clone, reinterpret_cast<std::uint64_t>(&attributes),
          sizeof attributes),
      {EPERM, ENOSYS});
  attack::refused(
      "open_tree_attr-here",
      call(k_open_tree_attr, at, slash, 0, reinterpret_cast<std::uint64_t>(&attributes), sizeof attributes),
      {EPERM, ENOSYS});

  struct {
    std::uint64_t flags = 0x10; // immutable
    std::uint32_t rest[4]{};
  } flags;

  const int file = ::open("own-file", O_RDWR | O_CREAT, 0600);
  attack::refused(
      "file_setattr-immutable",
      call(
          k_file_setattr, static_cast<std::uint64_t>(file), reinterpret_cast<std::uint64_t>(""),
          reinterpret_cast<std::uint64_t>(&flags), sizeof flags, AT_EMPTY_PATH),
      {EPERM, ENOSYS, EOPNOTSUPP, ENOTTY});
}

void sockets() {
  struct {
    const char* name;
    std::uint64_t family, type, protocol;
  } const tries[]{
      {"raw-high", AF_INET | k_high, SOCK_RAW | k_high, IPPROTO_TCP},
      {"raw-flags", AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_ICMP},
      {"packet-through-inet", AF_INET, 10 /* SOCK_PACKET */, 0x0300},
      {"mptcp", AF_INET, SOCK_STREAM, 262},
      {"mptcp-high", AF_INET6, SOCK_STREAM, 262 | k_high},
      {"sctp", AF_INET, SOCK_STREAM, IPPROTO_SCTP},
      {"udplite", AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE},
      {"xfrm-high", AF_NETLINK | k_high, SOCK_RAW | k_high, NETLINK_XFRM | k_high},
      {"netfilter-flags", AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_NETFILTER},
      {"generic", AF_NETLINK, SOCK_RAW, NETLINK_GENERIC},
      {"uevent", AF_NETLINK, SOCK_RAW, NETLINK_KOBJECT_UEVENT},
      {"alg-negative", static_cast<std::uint32_t>(AF_ALG) | (k_high * 0xffffffff), SOCK_SEQPACKET, 0},
      {"family-sign", 0xffffffff00000000 | AF_VSOCK, SOCK_STREAM, 0},
  };

  for (const auto& one : tries) {
    attack::refused(
        std::string("socket-") + one.name, call(SYS_socket, one.family, one.type, one.protocol),
        {EPERM, EAFNOSUPPORT, EPROTONOSUPPORT, ESOCKTNOSUPPORT, EINVAL});
  }
  int pair[2];
  for (const std::uint64_t family :
       {AF_TIPC | k_high, AF_INET | k_high, static_cast<std::uint64_t>(AF_NETLINK)}) {
    attack::refused(
        "socketpair-" + std::to_string(family & 0xff),
        call(SYS_socketpair, family, SOCK_STREAM, 0, reinterpret_cast<std::uint64_t>(pair)),
        {EAFNOSUPPORT, EOPNOTSUPP, EPERM, ESOCKTNOSUPPORT, EPROTONOSUPPORT});
  }
}

void personalities() {
  constexpr std::uint64_t k_no_randomize = 0x0040000;
  for (const auto value :
       {k_no_randomize, k_no_randomize | k_high, 0x80000000 | k_no_randomize, std::uint64_t{0x0400000}}) {
    attack::refused("personality-" + std::to_string(value), call(SYS_personality, value), {EPERM});
  }
}

/// The agent's own group, or the one that it would have, and the session's.
void the_agent_by_its_group() {
  attack::refused("setpriority-group", call(SYS_setpriority, PRIO_PGRP, 1, 19), {EPERM, ESRCH, EACCES});
  attack::refused(
      "setpriority-group-high", call(SYS_setpriority, PRIO_PGRP | k_high, 1 | k_high, 19),
      {EPERM, ESRCH, EACCES});
  attack::refused(
      "setpriority-process-high", call(SYS_setpriority, PRIO_PROCESS | k_high, 1 | k_high, 19), {EPERM});
  attack::refused("ioprio-group", call(SYS_ioprio_set, 2, 1, 3U << 13), {EPERM, ESRCH});
  attack::refused("prlimit-high", call(SYS_prlimit64, 1 | k_high, RLIMIT_NOFILE, 0, 0), {EPERM});
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(0, &one);
  attack::refused(
      "affinity-high",
      call(SYS_sched_setaffinity, 1 | k_high, sizeof one, reinterpret_cast<std::uint64_t>(&one)), {EPERM});
}

/// Whatever name procfs gives them: threads, and what it says of a group.
void the_agents_files() {
  for (const auto* path :
       {"/proc/1/oom_score_adj", "/proc/1/task/1/oom_score_adj", "/proc/1/task/../oom_score_adj",
        "/proc/1/oom_adj", "/proc/1/comm", "/proc/1/task/1/comm", "/proc/1/coredump_filter",
        "/proc/1/timerslack_ns", "/proc/1/clear_refs", "/proc/1/autogroup", "/proc/1/timens_offsets",
        "/proc/1/setgroups", "/proc/1/uid_map", "/proc/1/loginuid", "/proc/1/make-it-fail"}) {
    const int file = ::open(path, O_WRONLY);
    if (file < 0 && errno == ENOENT) {
      continue; // not a file of this kernel
    }
    attack::refused(std::string("write-") + path, file, {EACCES, EPERM, EROFS});
  }
  int threads = 0;
  if (DIR* tasks = ::opendir("/proc/1/task")) {
    while (const dirent* task = ::readdir(tasks)) {
      const std::string name = task->d_name;
      if (name == "." || name == ".." || name == "1") {
        continue;
      }
      ++threads;
      const auto path = "/proc/" + name + "/oom_score_adj";
      attack::refused("write-" + path, ::open(path.c_str(), O_WRONLY), {EACCES, EPERM, EROFS});
    }
    ::closedir(tasks);
  }
  attack::holds("threads-of-the-agent", threads == 0, std::to_string(threads) + " beside the first");
}

} // namespace

int main() {
  younger_calls();
  sockets();
  personalities();
  the_agent_by_its_group();
  the_agents_files();
  return attack::done();
}
