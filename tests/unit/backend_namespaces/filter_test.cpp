// The seccomp program as the kernel would run it: interpreted here, on every call table of this processor,
// for every row of the table that it was made from.
#include <pyro/backend/namespaces/filter/rules.hpp>
#include <pyro/os/id_space.hpp>

#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <random>
#include <set>

namespace pyro::backend::namespaces {
namespace {

using Arguments = std::array<std::uint64_t, 6>;

const std::vector<sock_filter>& program() {
  static const std::vector<sock_filter> s_program{
#include <pyro/seccomp_program.inc>
  };
  return s_program;
}

/// Classic BPF over struct seccomp_data: what seccomp(2) allows of it. Throws for anything else.
std::uint32_t run(const seccomp_data& data) {
  std::uint32_t accumulator = 0;
  for (std::size_t at = 0;; ++at) {
    const auto& step = program().at(at);
    const auto jump = [&](bool condition) {
      at += condition ? step.jt : step.jf;
    };
    switch (step.code) {
    case BPF_LD | BPF_W | BPF_ABS:
      if (step.k % 4 != 0 || step.k + 4 > sizeof(data)) {
        throw std::runtime_error("a load outside of the call");
      }
      std::memcpy(&accumulator, reinterpret_cast<const char*>(&data) + step.k, sizeof(accumulator));
      break;
    case BPF_ALU | BPF_AND | BPF_K:
      accumulator &= step.k;
      break;
    case BPF_JMP | BPF_JA:
      at += step.k;
      break;
    case BPF_JMP | BPF_JEQ | BPF_K:
      jump(accumulator == step.k);
      break;
    case BPF_JMP | BPF_JGT | BPF_K:
      jump(accumulator > step.k);
      break;
    case BPF_JMP | BPF_JGE | BPF_K:
      jump(accumulator >= step.k);
      break;
    case BPF_JMP | BPF_JSET | BPF_K:
      jump((accumulator & step.k) != 0);
      break;
    case BPF_RET | BPF_K:
      return step.k;
    default:
      throw std::runtime_error("an instruction of code " + std::to_string(step.code));
    }
  }
}

struct Table {
  const char* name;
  std::uint32_t kernel;  // AUDIT_ARCH_*
  std::uint32_t library; // SCMP_ARCH_*
};

std::vector<Table> tables() {
#if defined(__x86_64__)
  return {{"x86_64", AUDIT_ARCH_X86_64, SCMP_ARCH_X86_64}, {"i386", AUDIT_ARCH_I386, SCMP_ARCH_X86}};
#else
  return {{"native", seccomp_arch_native(), seccomp_arch_native()}};
#endif
}

/// The errno that the call fails with; 0: it is let through.
int answer(std::uint32_t architecture, int number, const Arguments& arguments) {
  seccomp_data data{};
  data.nr = number;
  data.arch = architecture;
  std::copy(arguments.begin(), arguments.end(), data.args);
  const auto verdict = run(data);
  if ((verdict & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ALLOW) {
    return 0;
  }
  EXPECT_EQ(verdict & SECCOMP_RET_ACTION_FULL, SECCOMP_RET_ERRNO);
  return static_cast<int>(verdict & SECCOMP_RET_DATA);
}

bool holds(const filter::Rule& rule, const Arguments& arguments) {
  return std::all_of(rule.conditions.begin(), rule.conditions.end(), [&](const auto& condition) {
    return (static_cast<std::uint32_t>(arguments[condition.argument]) & condition.mask) == condition.value;
  });
}

/// What may come of the call by the table: the error of any row that holds, or 0 where none does.
std::set<int>
expected(const std::vector<filter::Rule>& rows, const std::string& call, const Arguments& with) {
  std::set<int> errors;
  for (const auto& row : rows) {
    if (row.call == call && holds(row, with)) {
      errors.insert(row.error_number);
    }
  }
  return errors.empty() ? std::set{0} : errors;
}

/// The number of the call in that table; nullopt: it has none.
std::optional<int> number_in(const Table& table, const std::string& call) {
  const int number = seccomp_syscall_resolve_name_arch(table.library, call.c_str());
  if (number < 0 && table.kernel == AUDIT_ARCH_I386) {
    // The library means socketcall; since Linux 4.3 there are these as well.
    const std::map<std::string, int> direct{{"socket", 359}, {"socketpair", 360}};
    const auto found = direct.find(call);
    return found != direct.end() ? std::optional(found->second) : std::nullopt;
  }
  return number >= 0 ? std::optional(number) : std::nullopt;
}

/// Values whose free bits are random, for every row and one bit off it, with nothing and with everything in
/// the upper halves, where the kernel does not look.
TEST(Filter, EveryRowHoldsWhateverTheUpperHalvesSay) {
  const auto rows = filter::rules();
  std::mt19937_64 random(1);
  std::map<std::string, int> refused;
  for (const auto& table : tables()) {
    for (const auto& row : rows) {
      const auto number = number_in(table, row.call);
      if (!number) {
        continue;
      }
      const auto check = [&](Arguments arguments) {
        for (const std::uint64_t upper :
             {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{0x80000000}, std::uint64_t{0xffffffff},
              random() >> 32}) {
          for (auto& argument : arguments) {
            argument = (argument & 0xffffffff) | upper << 32;
          }
          const auto wanted = expected(rows, row.call, arguments);
          const int got = answer(table.kernel, *number, arguments);
          ASSERT_TRUE(wanted.contains(got))
              << row.call << " of " << table.name << " answers " << got << " instead of " << *wanted.begin()
              << std::hex << " to " << arguments[0] << " " << arguments[1] << " " << arguments[2];
          refused[std::string(table.name) + " " + row.call] += got != 0 ? 1 : 0;
        }
      };
      for (int round = 0; round < 3; ++round) {
        Arguments arguments;
        for (auto& argument : arguments) {
          argument = round == 0 ? 0 : round == 1 ? 0xffffffff : random();
        }
        for (const auto& condition : row.conditions) {
          auto& argument = arguments[condition.argument];
          argument = (argument & ~std::uint64_t{condition.mask}) | condition.value;
        }
        check(arguments);
        for (const auto& condition : row.conditions) {
          for (int bit = 0; bit < 32; ++bit) {
            auto other = arguments;
            other[condition.argument] ^= std::uint64_t{1} << bit;
            check(other);
          }
        }
      }
    }
  }
  for (const auto& table : tables()) {
    for (const auto& row : rows) {
      if (number_in(table, row.call)) {
        EXPECT_GT(refused[std::string(table.name) + " " + row.call], 0) << row.call << " of " << table.name;
      }
    }
  }
}

TEST(Filter, EveryRowIsOfSomeTable) {
  for (const auto& row : filter::rules()) {
    const auto all = tables();
    EXPECT_TRUE(
        std::any_of(
            all.begin(), all.end(), [&](const auto& table) { return number_in(table, row.call).has_value(); })
        || seccomp_syscall_resolve_name(row.call.c_str()) < -1)
        << row.call;
  }
}

TEST(Filter, CallsOfOtherTablesAreUnknown) {
#if defined(__x86_64__)
  constexpr int k_x32 = 0x40000000;
  for (const int number : {SYS_unshare, SYS_socket, SYS_getpid, SYS_mount}) {
    EXPECT_EQ(answer(AUDIT_ARCH_X86_64, k_x32 | number, {}), ENOSYS) << number;
  }
#endif
  EXPECT_EQ(answer(AUDIT_ARCH_RISCV64, SYS_getpid, {}), ENOSYS);
}

TEST(Filter, YoungerCallsAreUnknownButForThoseThatWereLookedAt) {
  const auto known = filter::known_newer();
  ASSERT_TRUE(std::is_sorted(known.begin(), known.end()));
  ASSERT_GE(known.front(), filter::k_first_newer);
  for (const auto& table : tables()) {
    int let_through = 0;
    const auto check = [&](std::uint32_t number) {
      const bool is_known = std::binary_search(known.begin(), known.end(), number);
      EXPECT_EQ(answer(table.kernel, static_cast<int>(number), {}), is_known ? 0 : ENOSYS)
          << table.name << " " << number;
      let_through += is_known ? 1 : 0;
    };
    for (std::uint32_t number = filter::k_first_newer; number < 2000; ++number) {
      check(number);
    }
    EXPECT_EQ(let_through, static_cast<int>(known.size())) << table.name;
    for (const std::uint32_t number : {0x3fffffffU, 0x40000000U, 0x7fffffffU, 0x80000000U, 0xffffffffU}) {
      check(number);
    }
    // The last one before them is a known one, and the filter has not swallowed it.
    EXPECT_EQ(answer(table.kernel, 449, {}), 0) << table.name;     // futex_waitv
    EXPECT_EQ(answer(table.kernel, 450, {}), EPERM) << table.name; // set_mempolicy_home_node
  }
  // By meaning: what mounts, or makes files immutable, under a new name.
  for (const int number :
       {457, 458, 467, 469, 470}) { // statmount, listmount, open_tree_attr, file_setattr, listns
    EXPECT_EQ(answer(tables().front().kernel, number, {}), ENOSYS) << number;
  }
}

TEST(Filter, OrdinaryCallsAreLetThrough) {
  for (const auto& table : tables()) {
    for (const char* call :
         {"read", "write", "openat", "execve", "clone", "fork", "wait4", "mmap", "prctl", "futex",
          "getpriority", "sched_getaffinity", "ioctl", "bind", "chroot"}) {
      if (const auto number = number_in(table, call)) {
        EXPECT_EQ(answer(table.kernel, *number, {}), 0) << call << " of " << table.name;
      }
    }
  }
}

/// By meaning, not by the table: what the kernel makes of the low half, for both halves.
TEST(Filter, SocketsAreOfTheFewKindsThatProgramsNeed) {
  constexpr std::uint64_t k_high = std::uint64_t{1} << 32;
  const auto socket = [](std::uint64_t family, std::uint64_t type, std::uint64_t protocol) {
    return answer(tables().front().kernel, SYS_socket, {family, type, protocol});
  };
  const std::set<std::uint64_t> allowed{AF_UNIX, AF_INET, AF_INET6, AF_NETLINK};
  for (const std::uint64_t upper : {std::uint64_t{0}, k_high, 0xffffffff * k_high}) {
    for (std::uint64_t family = 0; family < 256; ++family) {
      EXPECT_EQ(socket(upper | family, SOCK_STREAM, 0) == 0, allowed.contains(family)) << family;
      EXPECT_EQ(
          answer(tables().front().kernel, SYS_socketpair, {upper | family, SOCK_STREAM, 0}) == 0,
          family == AF_UNIX)
          << family;
    }
    for (const std::uint64_t family : {AF_INET, AF_INET6}) {
      EXPECT_EQ(socket(family, upper | SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, upper | 17), 0);
      EXPECT_EQ(socket(family, upper | SOCK_STREAM, upper | 6), 0);
      EXPECT_EQ(socket(family, upper | SOCK_RAW | SOCK_CLOEXEC, 0), EPERM);
      EXPECT_EQ(socket(family, upper | SOCK_SEQPACKET, 0), EPERM);
      EXPECT_EQ(socket(family, SOCK_STREAM, upper | 132), EPROTONOSUPPORT); // SCTP
      EXPECT_EQ(socket(family, SOCK_DGRAM, upper | 115), EPROTONOSUPPORT);  // L2TP
    }
    for (std::uint64_t protocol = 0; protocol < 32; ++protocol) {
      EXPECT_EQ(socket(upper | AF_NETLINK, SOCK_RAW, upper | protocol) == 0, protocol == 0 || protocol == 4)
          << protocol;
    }
  }
}

TEST(Filter, PersonalitiesAreThoseOfOrdinaryPrograms) {
  const auto personality = [](std::uint64_t value) {
    return answer(tables().front().kernel, SYS_personality, {value});
  };
  for (const std::uint64_t upper : {std::uint64_t{0}, std::uint64_t{1} << 32, ~std::uint64_t{0} << 32}) {
    for (const std::uint64_t value : {0x0UL, 0x8UL, 0x20000UL, 0x20008UL, 0xffffffffUL}) {
      EXPECT_EQ(personality(upper | value), 0) << std::hex << value;
    }
    for (const std::uint64_t value :
         {0x40000UL, 0x400000UL, 0x80040000UL, 0x80400000UL, 0x7fffffffUL, 0x1UL}) {
      EXPECT_EQ(personality(upper | value), EPERM) << std::hex << value;
    }
  }
}

/// By meaning: what a sandbox has ids for is the kernel's to decide, and so is "as it is" (-1).
TEST(Filter, FilesStayWhoseTheyAreWhenGivenToIdsThatNoSandboxHas) {
  static_assert(filter::k_first_unknown_id == os::k_id_count);
  constexpr std::uint64_t k_as_it_is = 0xffffffff;
  const std::set<std::uint64_t> let_through{0, 1, 1000, 65534, 65535, k_as_it_is};
  const std::set<std::uint64_t> unknown{65536, 65537, 197609, 0x7fffffff, 0x80000000, 0xfffffffe};
  auto ids = let_through;
  ids.insert(unknown.begin(), unknown.end());
  for (const auto& table : tables()) {
    const auto calls = filter::owner_calls(table.library == SCMP_ARCH_X86);
    int known = 0;
    for (const auto& [call, argument] : calls) {
      const auto number = number_in(table, call);
      if (!number) {
        continue;
      }
      ++known;
      for (const auto user : ids) {
        for (const auto group : ids) {
          for (const std::uint64_t upper : {std::uint64_t{0}, std::uint64_t{0xffffffff}}) {
            seccomp_data data{};
            data.nr = *number;
            data.arch = table.kernel;
            std::fill(std::begin(data.args), std::end(data.args), 197609); // none of the others matters
            data.args[argument] = user | upper << 32;
            data.args[argument + 1] = group | upper << 32;
            const bool is_quiet = unknown.contains(user) || unknown.contains(group);
            EXPECT_EQ(run(data), is_quiet ? SECCOMP_RET_ERRNO : SECCOMP_RET_ALLOW)
                << call << " of " << table.name << " to " << user << ":" << group;
          }
        }
      }
    }
    EXPECT_GE(known, 2) << table.name;
  }
#if defined(__x86_64__)
  for (const int number : {SYS_chown, SYS_fchown, SYS_lchown}) { // by number, not by the table
    EXPECT_EQ(
        run({number, AUDIT_ARCH_X86_64, 0, {197609, 100000, 0, 0, 0, 0}}), std::uint32_t{SECCOMP_RET_ERRNO});
  }
  EXPECT_EQ(
      run({SYS_fchownat, AUDIT_ARCH_X86_64, 0, {0, 0, 0, 100000, 0, 0}}), std::uint32_t{SECCOMP_RET_ERRNO});
#endif
}

#if defined(__x86_64__)
TEST(Filter, TheOldSocketCallOfThirtyTwoBitsMakesNone) {
  constexpr int k_socketcall = 102;
  EXPECT_EQ(answer(AUDIT_ARCH_I386, k_socketcall, {1}), EAFNOSUPPORT);
  EXPECT_EQ(answer(AUDIT_ARCH_I386, k_socketcall, {8}), EAFNOSUPPORT);
  EXPECT_EQ(answer(AUDIT_ARCH_I386, k_socketcall, {3}), 0); // connect
}
#endif

} // namespace
} // namespace pyro::backend::namespaces
