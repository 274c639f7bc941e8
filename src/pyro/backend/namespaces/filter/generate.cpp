// Build-time program: writes the seccomp filter of sandboxes as an array initialiser of BPF instructions.
// The policy: of the calls that the table knows everything is allowed but what a container has no business
// with; younger ones are allowed by name (rules.cpp). Refused calls fail
// with EPERM (or ENOSYS where a library then falls back), so programs see an ordinary error and never a
// signal.
#include "rules.hpp"

#include <linux/audit.h>
#include <linux/bpf_common.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>

#include <bit>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <unistd.h>
#include <utility>
#include <vector>

namespace {

namespace filter = pyro::backend::namespaces::filter;

void check(int result, const char* what) {
  if (result < 0) {
    std::fprintf(stderr, "seccomp: %s: error %d\n", what, -result);
    std::exit(1);
  }
}

void add(scmp_filter_ctx context, const filter::Rule& rule) {
  const int number = seccomp_syscall_resolve_name(rule.call.c_str());
  if (number == __NR_SCMP_ERROR) {
    std::fprintf(stderr, "seccomp: %s is not known to this libseccomp\n", rule.call.c_str());
    std::exit(1);
  }
  std::vector<scmp_arg_cmp> conditions;
  for (const auto& condition : rule.conditions) {
    conditions.push_back({condition.argument, SCMP_CMP_MASKED_EQ, condition.mask, condition.value});
  }
  check(
      seccomp_rule_add_array(
          context, SCMP_ACT_ERRNO(static_cast<std::uint32_t>(rule.error_number)), number,
          static_cast<unsigned>(conditions.size()), conditions.data()),
      rule.call.c_str());
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

/// Goes before the library's program, which has no rules for ranges: a younger call that is not known ends
/// here. Whatever the table, its number is the first thing of struct seccomp_data.
std::vector<sock_filter> preface() {
  std::vector<sock_filter> program{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
  };
  const auto known = filter::known_newer();
  const auto count = static_cast<std::uint8_t>(known.size());
  // To what follows, past the tests and the refusal.
  program.push_back(
      BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, filter::k_first_newer, 0, static_cast<std::uint8_t>(count + 1)));
  for (std::uint8_t index = 0; index < count; ++index) {
    program.push_back(
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, known[index], static_cast<std::uint8_t>(count - index), 0));
  }
  program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS));
  return program;
}

/// Of one id: unknown ones lead past the `after` steps that follow, all others to the first of them.
void test_id(std::vector<sock_filter>& program, unsigned argument, std::uint8_t after) {
  constexpr std::uint32_t k_as_it_is = 0xffffffff;
  const auto low_half = static_cast<std::uint32_t>(
      offsetof(seccomp_data, args) + argument * sizeof(std::uint64_t)
      + (std::endian::native == std::endian::little ? 0 : sizeof(std::uint32_t)));
  program.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, low_half));
  program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, k_as_it_is, 1, 0));
  program.push_back(BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, filter::k_first_unknown_id, after, 0));
}

/// Goes before the library's program too: chown and its like of one table, with an id that no sandbox has.
std::vector<sock_filter> owners(std::uint32_t kernel_table, std::uint32_t library_table) {
  std::vector<sock_filter> program;
  for (const auto& [call, user] : filter::owner_calls(library_table == SCMP_ARCH_X86)) {
    const int number = seccomp_syscall_resolve_name_arch(library_table, call.c_str());
    if (number < 0) {
      continue; // younger tables have fchownat alone
    }
    program.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)));
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(number), 0, 8));
    test_id(program, user, 4);
    test_id(program, user + 1, 1);
    program.push_back(BPF_STMT(BPF_JMP | BPF_JA, 1));
    program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO)); // without an error: done
  }
  const auto length = static_cast<std::uint8_t>(program.size());
  program.insert(
      program.begin(), {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch)),
                        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kernel_table, 0, length)});
  return program;
}

} // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s OUTPUT\n", argv[0]);
    return 64;
  }
  void* const context = seccomp_init(SCMP_ACT_ALLOW);
  // Calls of another architecture (x32) fail like unknown calls; 32-bit x86 programs get the same rules.
  check(seccomp_attr_set(context, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS)), "bad architecture");
  check(seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, 2), "optimise"); // binary search: ~7 tests a call
#if defined(__x86_64__)
  check(seccomp_arch_add(context, SCMP_ARCH_X86), "x86");
#endif
  for (const auto& rule : filter::rules()) {
    add(context, rule);
  }
  auto program = preface();
#if defined(__x86_64__)
  const auto tables = {std::pair{AUDIT_ARCH_X86_64, SCMP_ARCH_X86_64}, {AUDIT_ARCH_I386, SCMP_ARCH_X86}};
#else
  const auto tables = {std::pair{seccomp_arch_native(), seccomp_arch_native()}};
#endif
  for (const auto& [kernel, library] : tables) {
    const auto steps = owners(kernel, library);
    program.insert(program.end(), steps.begin(), steps.end());
  }
  const auto rules = program_of(context);
  program.insert(program.end(), rules.begin(), rules.end());
  FILE* output = std::fopen(argv[1], "we");
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
