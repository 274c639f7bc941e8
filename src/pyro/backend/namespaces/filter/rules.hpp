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

/// Conditions of which exactly one holds for every value of (argument & mask) that is not allowed.
std::vector<Condition>
all_but(unsigned argument, const std::vector<std::uint32_t>& allowed, std::uint32_t mask = 0xffffffff);

} // namespace pyro::backend::namespaces::filter
