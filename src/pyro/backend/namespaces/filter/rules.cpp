#include "rules.hpp"

#include <linux/netlink.h>
#include <linux/sched.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <netinet/in.h>

namespace pyro::backend::namespaces::filter {

namespace {

// Loading code into the kernel, other namespaces, mounts, keys, tracing of others, clocks, raw I/O.
constexpr const char* k_refused[]{
    "acct",
    "add_key",
    "adjtimex",
    "bpf",
    "clock_adjtime",
    "clock_adjtime64",
    "clock_settime",
    "clock_settime64",
    "create_module",
    "delete_module",
    "fanotify_init",
    "finit_module",
    "fsconfig",
    "fsmount",
    "fsopen",
    "fspick",
    "get_kernel_syms",
    "init_module",
    "io_uring_enter",
    "io_uring_register",
    "io_uring_setup",
    "ioperm",
    "iopl",
    "kcmp",
    "kexec_file_load",
    "kexec_load",
    "keyctl",
    "lookup_dcookie",
    "mbind",
    "migrate_pages",
    "mount",
    "mount_setattr",
    "move_mount",
    "move_pages",
    "name_to_handle_at",
    "nfsservctl",
    "open_by_handle_at",
    "open_tree",
    "perf_event_open",
    "pidfd_getfd",
    "pivot_root",
    "process_madvise",
    "process_vm_readv",
    "process_vm_writev",
    "query_module",
    "quotactl",
    "quotactl_fd",
    "reboot",
    "request_key",
    "set_mempolicy",
    "set_mempolicy_home_node",
    "setns",
    "settimeofday",
    "stime",
    "swapoff",
    "swapon",
    "_sysctl",
    "syslog",
    "umount",
    "umount2",
    "unshare",
    "uselib",
    "userfaultfd",
    "ustat",
    "vhangup",
    "vm86",
    "vm86old",
};

constexpr std::uint32_t k_whole = 0xffffffff;

/// One rule for each way not to be allowed, beside the conditions that hold in all of them.
void refuse_all_but(
    std::vector<Rule>& rules, const std::string& call, int error_number, const std::vector<Condition>& where,
    const std::vector<Condition>& not_allowed) {
  for (const auto& condition : not_allowed) {
    auto conditions = where;
    conditions.push_back(condition);
    rules.push_back({call, error_number, std::move(conditions)});
  }
}

void refuse_namespaces(std::vector<Rule>& rules) {
  // clone3 passes its flags in memory, where no filter can look: libc falls back to clone on ENOSYS.
  rules.push_back({"clone3", ENOSYS, {}});
  for (const auto flag :
       {CLONE_NEWUSER, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWNET, CLONE_NEWIPC, CLONE_NEWUTS,
        CLONE_NEWCGROUP}) {
    const auto bit = static_cast<std::uint32_t>(flag);
    rules.push_back({"clone", EPERM, {{0, bit, bit}}});
  }
}

// Of families, types and protocols only what programs are known to need: the others have a history of kernel
// holes, load modules or reach beyond the sandbox. The kernel itself refuses numbers that do not fit the
// masks.
void refuse_sockets(std::vector<Rule>& rules) {
  constexpr std::uint32_t k_family = 0xff;
  constexpr std::uint32_t k_type = 0xf; // beside it SOCK_CLOEXEC and SOCK_NONBLOCK
  constexpr std::uint32_t k_protocol = 0x3ff;
  constexpr std::uint32_t k_netlink_protocol = 0xff;
  static_assert((AF_INET ^ AF_INET6) == 8 && AF_MAX < k_family && IPPROTO_MAX < k_protocol);
  const Condition is_internet{0, k_family & ~8U, AF_INET}; // version 4 or 6
  const Condition is_netlink{0, k_family, AF_NETLINK};
  refuse_all_but(
      rules, "socket", EAFNOSUPPORT, {}, all_but(0, {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK}, k_family));
  refuse_all_but(rules, "socket", EPERM, {is_internet}, all_but(1, {SOCK_STREAM, SOCK_DGRAM}, k_type));
  refuse_all_but(
      rules, "socket", EPROTONOSUPPORT, {is_internet},
      all_but(2, {0, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP, IPPROTO_ICMPV6}, k_protocol));
  // Addresses and routes, and what ss lists; neither events of devices, nor audit, ciphers or packet filters.
  refuse_all_but(
      rules, "socket", EPROTONOSUPPORT, {is_netlink},
      all_but(2, {NETLINK_ROUTE, NETLINK_SOCK_DIAG}, k_netlink_protocol));
  refuse_all_but(rules, "socketpair", EAFNOSUPPORT, {}, all_but(0, {AF_UNIX}, k_family));
  // The one call of old 32-bit programs for all of sockets: its arguments lie in memory.
  for (const std::uint32_t made : {1U, 8U}) { // SYS_SOCKET and SYS_SOCKETPAIR of linux/net.h
    rules.push_back({"socketcall", EAFNOSUPPORT, {{0, k_whole, made}}});
  }
}

// Pushing input into terminals, and line disciplines, which load modules.
void refuse_terminal_tricks(std::vector<Rule>& rules) {
  constexpr std::uint32_t k_tiocsti = 0x5412;
  constexpr std::uint32_t k_tioclinux = 0x541C;
  constexpr std::uint32_t k_tiocsetd = 0x5423;
  for (const auto request : {k_tiocsti, k_tioclinux, k_tiocsetd}) {
    rules.push_back({"ioctl", EPERM, {{1, k_whole, request}}});
  }
}

// personality(2): an ordinary process, one that sees a 32-bit machine or a version 2.6, and the query.
// Everything else weakens address randomisation or memory protection, or is emulation nobody uses.
void refuse_personalities(std::vector<Rule>& rules) {
  constexpr std::uint32_t k_linux32 = 0x0008;
  constexpr std::uint32_t k_uname26 = 0x0020000;
  refuse_all_but(
      rules, "personality", EPERM, {}, all_but(0, {0, k_linux32, k_uname26, k_linux32 | k_uname26, k_whole}));
}

// Asynchronous I/O has one pool for the whole machine (fs.aio-max-nr), which a single process can take.
// Programs that find none of it use threads: what databases do where it is not compiled in.
void refuse_kernel_queues(std::vector<Rule>& rules) {
  rules.push_back({"io_setup", ENOSYS, {}});
}

// Limits, priority and processors of the agent (pid 1): the kernel asks only for equal ids, which root inside
// has. Without descriptors, processes or time the agent would be of no use any more. "All processes of a
// user" may hold the agent too.
void refuse_starving_the_agent(std::vector<Rule>& rules) {
  constexpr std::uint32_t k_agent = 1;
  constexpr std::uint32_t k_prio_process = 0; // sys/resource.h
  constexpr std::uint32_t k_prio_user = 2;
  constexpr std::uint32_t k_ioprio_process = 1; // linux/ioprio.h
  constexpr std::uint32_t k_ioprio_user = 3;
  for (const char* call :
       {"prlimit64", "sched_setaffinity", "sched_setattr", "sched_setparam", "sched_setscheduler"}) {
    rules.push_back({call, EPERM, {{0, k_whole, k_agent}}});
  }
  rules.push_back({"setpriority", EPERM, {{0, k_whole, k_prio_process}, {1, k_whole, k_agent}}});
  rules.push_back({"setpriority", EPERM, {{0, k_whole, k_prio_user}}});
  rules.push_back({"ioprio_set", EPERM, {{0, k_whole, k_ioprio_process}, {1, k_whole, k_agent}}});
  rules.push_back({"ioprio_set", EPERM, {{0, k_whole, k_ioprio_user}}});
}

// fallocate(2) takes any amount of room at once, before anybody could see it (docs/decisions/0038). Programs
// and posix_fallocate(3) write instead, as on the many file systems that do not have it. Giving room back
// (a hole) stays allowed.
void refuse_preallocation(std::vector<Rule>& rules) {
  rules.push_back({"fallocate", EOPNOTSUPP, {{1, FALLOC_FL_PUNCH_HOLE, 0}}});
}

void cover(
    std::vector<Condition>& found, const std::vector<std::uint32_t>& allowed, std::uint32_t all_bits,
    Condition prefix) {
  const bool holds_allowed = std::any_of(allowed.begin(), allowed.end(), [&](std::uint32_t value) {
    return (value & prefix.mask) == prefix.value;
  });
  if (!holds_allowed) {
    found.push_back(prefix);
    return;
  }
  const auto left = all_bits & ~prefix.mask;
  if (left == 0) {
    return; // allowed itself
  }
  auto bit = std::uint32_t{1} << 31;
  while ((left & bit) == 0) {
    bit >>= 1;
  }
  prefix.mask |= bit;
  cover(found, allowed, all_bits, prefix);
  prefix.value |= bit;
  cover(found, allowed, all_bits, prefix);
}

} // namespace

std::vector<Condition>
all_but(unsigned argument, const std::vector<std::uint32_t>& allowed, std::uint32_t mask) {
  std::vector<Condition> found;
  cover(found, allowed, mask, {argument, 0, 0});
  return found;
}

std::vector<std::uint32_t> known_newer() {
  // By number, which is that of every table: this libseccomp has no names for them (asm-generic/unistd.h).
  return {
      451, // cachestat
      452, // fchmodat2
      453, // map_shadow_stack
      454, // futex_wake
      455, // futex_wait
      456, // futex_requeue
      462, // mseal
      463, // setxattrat
      464, // getxattrat
      465, // listxattrat
      466, // removexattrat
  };
}

std::vector<OwnerCall> owner_calls(bool is_x86_of_32_bits) {
  const std::string width = is_x86_of_32_bits ? "32" : "";
  return {{"chown" + width, 1}, {"fchown" + width, 1}, {"lchown" + width, 1}, {"fchownat", 2}};
}

std::vector<Rule> rules() {
  std::vector<Rule> rules;
  for (const char* call : k_refused) {
    rules.push_back({call, EPERM, {}});
  }
  refuse_namespaces(rules);
  refuse_sockets(rules);
  refuse_terminal_tricks(rules);
  refuse_preallocation(rules);
  refuse_kernel_queues(rules);
  refuse_personalities(rules);
  refuse_starving_the_agent(rules);
  return rules;
}

} // namespace pyro::backend::namespaces::filter
