// What processes take of a machine, as somebody counted it: a control group, a look at each process, a whole
// machine. What nobody counts is absent, never 0.
#pragma once

#include "json_access.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace pyro {

/// cgroup: by the kernel, for all of them together. processes: added up over each of them; a page of memory
/// that several share is in each one's sum. machine: all that runs on it (the inside of a virtual machine).
enum class CountedBy { cgroup, processes, machine };

struct CpuUse {
  CountedBy by = CountedBy::cgroup;
  std::uint64_t usec = 0;      // so far
  std::optional<double> limit; // processors
};

struct MemoryUse {
  CountedBy by = CountedBy::cgroup;
  std::uint64_t bytes = 0;                   // without `cached_bytes`
  std::optional<std::uint64_t> peak_bytes;   // the most so far, with cached pages of files
  std::optional<std::uint64_t> cached_bytes; // pages of files that are given back when somebody needs room
  std::optional<std::uint64_t> limit_bytes;
};

/// Processes and their threads, which is what limits are about.
struct PidsUse {
  CountedBy by = CountedBy::cgroup;
  std::uint64_t count = 0;
  std::optional<std::uint64_t> limit;
};

struct ResourceUse {
  std::optional<CpuUse> cpu;
  std::optional<MemoryUse> memory;
  std::optional<PidsUse> pids;

  /// What is absent here is taken from there.
  ResourceUse completed_by(const ResourceUse& other) const;
};

std::string_view name_of(CountedBy by);

/// {cpu: {usec, limit, counted_by} or null, memory: {bytes, peak_bytes, cached_bytes, limit_bytes,
/// counted_by} or null, pids: {count, limit, counted_by} or null}
Json to_json(const ResourceUse& value);
/// Throws Error for what is no such thing; numbers are never negative.
ResourceUse resource_use_from_json(const Json& value);

} // namespace pyro
