// Build-time program: writes the seccomp filter of sandboxes as an array initialiser of BPF instructions.
// The policy: everything is allowed but what a container has no business with. Refused calls fail with EPERM
// (or ENOSYS where a library then falls back), so programs see an ordinary error and never a signal.
#include <linux/bpf_common.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/sched.h>
#include <seccomp.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <unistd.h>
#include <vector>

namespace {

void check(int result, const char* what) {
  if (result < 0) {
    std::fprintf(stderr, "seccomp: %s: error %d\n", what, -result);
    std::exit(1);
  }
}

void refuse(scmp_filter_ctx filter, const char* name, int error_number) {
  const int number = seccomp_syscall_resolve_name(name);
  if (number == __NR_SCMP_ERROR) {
    std::fprintf(stderr, "seccomp: %s is not known to this libseccomp\n", name);
    std::exit(1);
  }
  check(seccomp_rule_add(filter, SCMP_ACT_ERRNO(static_cast<std::uint32_t>(error_number)), number, 0), name);
}

// Loading code into the kernel, other namespaces, mounts, keys, tracing of others, clocks, raw I/O.
constexpr const char* k_refused[]{
    "acct",
    "add_key",
    "bpf",
    "clock_adjtime",
    "clock_settime",
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
    "mbind",
    "migrate_pages",
    "setns",
    "settimeofday",
    "stime",
    "adjtimex",
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

// Address families with a history of kernel holes or a reach beyond the sandbox.
constexpr int k_refused_families[]{AF_ALG, AF_RXRPC,     AF_KEY,   AF_PACKET, AF_VSOCK, AF_XDP,     AF_TIPC,
                                   AF_CAN, AF_BLUETOOTH, AF_NFC,   AF_RDS,    AF_SMC,   AF_QIPCRTR, AF_AX25,
                                   AF_X25, AF_LLC,       AF_PPPOX, AF_KCM,    AF_IB};

void refuse_namespaces(scmp_filter_ctx filter) {
  // clone3 passes its flags in memory, where no filter can look: libc falls back to clone on ENOSYS.
  refuse(filter, "clone3", ENOSYS);
  for (const auto flag :
       {CLONE_NEWUSER, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWNET, CLONE_NEWIPC, CLONE_NEWUTS,
        CLONE_NEWCGROUP}) {
    const auto mask = static_cast<scmp_datum_t>(static_cast<unsigned>(flag));
    check(
        seccomp_rule_add(
            filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1, SCMP_A0(SCMP_CMP_MASKED_EQ, mask, mask)),
        "clone");
  }
}

void refuse_sockets(scmp_filter_ctx filter) {
  for (const int family : k_refused_families) {
    check(
        seccomp_rule_add(
            filter, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 1,
            SCMP_A0(SCMP_CMP_EQ, static_cast<scmp_datum_t>(family))),
        "socket");
  }
  for (const int protocol :
       {NETLINK_XFRM, NETLINK_NETFILTER, NETLINK_CRYPTO, NETLINK_AUDIT, NETLINK_KOBJECT_UEVENT}) {
    check(
        seccomp_rule_add(
            filter, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 2, SCMP_A0(SCMP_CMP_EQ, AF_NETLINK),
            SCMP_A2(SCMP_CMP_EQ, static_cast<scmp_datum_t>(protocol))),
        "socket(netlink)");
  }
}

void refuse_terminal_injection(scmp_filter_ctx filter) {
  constexpr scmp_datum_t k_tiocsti = 0x5412;
  constexpr scmp_datum_t k_tioclinux = 0x541C;
  for (const auto request : {k_tiocsti, k_tioclinux}) {
    check(
        seccomp_rule_add(
            filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), 1,
            SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffff, request)),
        "ioctl");
  }
}

// personality(2): bits that weaken address randomisation or memory protection. Bit 31 is set only in the
// query 0xffffffff, which stays allowed.
void refuse_personality(scmp_filter_ctx filter) {
  constexpr scmp_datum_t k_query_bit = 0x80000000;
  for (const scmp_datum_t bit : {0x0040000UL, 0x0080000UL, 0x0100000UL, 0x0400000UL}) {
    check(
        seccomp_rule_add(
            filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(personality), 1,
            SCMP_A0(SCMP_CMP_MASKED_EQ, k_query_bit | bit, bit)),
        "personality");
  }
}

// prlimit(2) asks only for equal ids, which root inside and the agent (pid 1) have: without descriptors or
// processes the agent would be of no use any more. The kernel looks at the low half of the pid only.
void refuse_limits_of_the_agent(scmp_filter_ctx filter) {
  check(
      seccomp_rule_add(
          filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(prlimit64), 1, SCMP_A0(SCMP_CMP_MASKED_EQ, 0xffffffff, 1)),
      "prlimit64");
}

std::vector<sock_filter> program_of(scmp_filter_ctx filter) {
  FILE* file = std::tmpfile();
  check(seccomp_export_bpf(filter, fileno(file)), "export");
  const long size = lseek(fileno(file), 0, SEEK_END);
  std::vector<sock_filter> program(static_cast<std::size_t>(size) / sizeof(sock_filter));
  if (pread(fileno(file), program.data(), static_cast<std::size_t>(size), 0) != size) {
    std::exit(1);
  }
  std::fclose(file);
  return program;
}

} // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s OUTPUT\n", argv[0]);
    return 64;
  }
  const scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
  // Calls of another architecture (x32) fail like unknown calls; 32-bit x86 programs get the same rules.
  check(seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS)), "bad architecture");
  check(seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2), "optimise"); // binary search: ~7 tests a call
#if defined(__x86_64__)
  check(seccomp_arch_add(filter, SCMP_ARCH_X86), "x86");
#endif
  for (const char* name : k_refused) {
    refuse(filter, name, EPERM);
  }
  refuse_namespaces(filter);
  refuse_sockets(filter);
  refuse_terminal_injection(filter);
  refuse_personality(filter);
  refuse_limits_of_the_agent(filter);
  const auto program = program_of(filter);
  FILE* output = std::fopen(argv[1], "w");
  if (!output) {
    return 1;
  }
  for (const auto& instruction : program) {
    std::fprintf(
        output, "{0x%04x, %u, %u, 0x%08xU},\n", instruction.code, instruction.jt, instruction.jf,
        instruction.k);
  }
  return std::fclose(output) == 0 ? 0 : 1;
}
