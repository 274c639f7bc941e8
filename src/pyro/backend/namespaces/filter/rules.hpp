// What the seccomp filter of sandboxes refuses, as a table. generate.cpp makes a BPF program of it; the unit
// test runs that program for every row.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace pyro::backend::namespaces::filter {

/// Holds where (the argument & mask) == value. The kernel takes the low half of all arguments named here
/// (they are ints, or flags of which it reads 32 bits), so the filter looks at nothing else: a bit set above
/// must not change the answer.
struct Condition {
  unsigned argument = 0;
  std::uint32_t mask = 0;
  std::uint32_t value = 0;
};

/// The call fails with that error when all conditions hold; without any it always does.
struct Rule {
  std::string call;
  int error_number = 0;
  std::vector<Condition> conditions;
};

std::vector<Rule> rules();

/// Calls from this number on are unknown inside (ENOSYS), as to an older kernel, but for those of
/// known_newer(): a kernel younger than this table has calls that nobody has looked at. From here on all
/// tables share their numbers.
inline constexpr std::uint32_t k_first_newer = 451;
/// In order.
std::vector<std::uint32_t> known_newer();

/// Ids from here on are in no sandbox. A file that is given to one of them (chown and its like) stays whose
/// it is, and the call says that all is well, as it does where archives with such owners are unpacked on a
/// machine (docs/decisions/0062).
inline constexpr std::uint32_t k_first_unknown_id = 65536;

struct OwnerCall {
  std::string call;
  unsigned user = 0; // the argument that is the user's id; the group's is the next
};

/// By table: that of 32-bit x86 has calls with ids of 16 bits as well, which reach no further.
std::vector<OwnerCall> owner_calls(bool is_x86_of_32_bits);

/// Conditions of which exactly one holds for every value of (argument & mask) that is not allowed.
std::vector<Condition>
all_but(unsigned argument, const std::vector<std::uint32_t>& allowed, std::uint32_t mask = 0xffffffff);

} // namespace pyro::backend::namespaces::filter
