#include "resource_use.hpp"

#include "fd.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/text.hpp>

#include <array>
#include <cstdio>
#include <unistd.h>

namespace pyro::os {

namespace {

constexpr std::size_t k_longest = 1 << 20; // /proc/stat of a machine with many processors
/// v1 says "no limit" by the largest number of whole pages.
constexpr std::uint64_t k_no_limit = std::uint64_t{1} << 60;

std::string content_of(const std::string& path) {
  try {
    return maybe_read_file(path, k_longest).value_or("");
  } catch (const Error&) {
    return {}; // gone meanwhile
  }
}

std::string_view without_end(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) {
    text.remove_suffix(1);
  }
  return text;
}

/// Of a file with one number; "max" is none.
std::optional<std::uint64_t> whole_number_in(const std::string& path) {
  return whole_number<std::uint64_t>(without_end(content_of(path)));
}

/// Behind "key " or "key: " at the beginning of a line.
std::optional<std::uint64_t> number_behind(const std::string& text, std::string_view key) {
  for (auto line : lines_of(text)) {
    if (!line.starts_with(key)) {
      continue;
    }
    line.remove_prefix(key.size());
    while (!line.empty() && (line.front() == ' ' || line.front() == '\t' || line.front() == ':')) {
      line.remove_prefix(1);
    }
    return whole_number<std::uint64_t>(line.substr(0, line.find(' ')));
  }
  return std::nullopt;
}

std::optional<std::uint64_t> limit_in(const std::string& path) {
  const auto limit = whole_number_in(path);
  return limit && *limit < k_no_limit ? limit : std::nullopt;
}

/// cpu.max: "200000 100000" or "max 100000".
std::optional<double> processors_in(const std::string& text) {
  unsigned long long quota = 0;
  unsigned long long period = 0;
  if (std::sscanf(text.c_str(), "%llu %llu", &quota, &period) != 2 || quota == 0 || period == 0) {
    return std::nullopt;
  }
  return static_cast<double>(quota) / static_cast<double>(period);
}

std::optional<double> cpu_limit_in(const std::string& directory) {
  const auto text = content_of(directory + "/cpu.max");
  return processors_in(
      text.empty()
          ? content_of(directory + "/cpu.cfs_quota_us") + " " + content_of(directory + "/cpu.cfs_period_us")
          : text);
}

std::optional<MemoryUse> memory_in(const std::string& directory) {
  const bool is_v2 = ::access((directory + "/memory.current").c_str(), R_OK) == 0;
  const auto all = whole_number_in(directory + (is_v2 ? "/memory.current" : "/memory.usage_in_bytes"));
  if (!all) {
    return std::nullopt;
  }
  MemoryUse use;
  use.cached_bytes = number_behind(
      content_of(directory + "/memory.stat"), is_v2 ? "inactive_file " : "total_inactive_file ");
  use.bytes = *all - std::min(*all, use.cached_bytes.value_or(0));
  use.peak_bytes = whole_number_in(directory + (is_v2 ? "/memory.peak" : "/memory.max_usage_in_bytes"));
  use.limit_bytes = limit_in(directory + (is_v2 ? "/memory.max" : "/memory.limit_in_bytes"));
  return use;
}

std::optional<PidsUse> pids_in(const std::string& directory) {
  const auto count = whole_number_in(directory + "/pids.current");
  return count ? std::optional(PidsUse{CountedBy::cgroup, *count, limit_in(directory + "/pids.max")})
               : std::nullopt;
}

} // namespace

std::uint64_t usec_of_ticks(std::uint64_t ticks) {
  static const auto s_per_second = static_cast<std::uint64_t>(std::max(1L, ::sysconf(_SC_CLK_TCK)));
  return ticks * (1'000'000 / s_per_second);
}

ResourceUse use_of_cgroups(const std::vector<std::string>& directories) {
  ResourceUse use;
  std::optional<double> cpu_limit;
  for (const auto& directory : directories) {
    if (const auto usec = number_behind(content_of(directory + "/cpu.stat"), "usage_usec ")) {
      use.cpu = CpuUse{CountedBy::cgroup, *usec, std::nullopt};
    }
    cpu_limit = cpu_limit ? cpu_limit : cpu_limit_in(directory);
    use.memory = use.memory ? use.memory : memory_in(directory);
    use.pids = use.pids ? use.pids : pids_in(directory);
  }
  if (use.cpu) {
    use.cpu->limit = cpu_limit;
  }
  return use;
}

ResourceUse use_of_process(pid_t pid) {
  const auto directory = fmt::format("/proc/{}", pid);
  const auto stat = content_of(directory + "/stat");
  const auto after_name = stat.rfind(')'); // the name may hold anything, parentheses too
  unsigned long long user = 0;
  unsigned long long system = 0;
  if (after_name == std::string::npos
      || std::sscanf(
             stat.c_str() + after_name + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &user,
             &system)
             != 2) {
    return {};
  }
  ResourceUse use;
  use.cpu = CpuUse{CountedBy::processes, usec_of_ticks(user + system), std::nullopt};
  const auto status = content_of(directory + "/status");
  constexpr std::uint64_t k_kib = 1 << 10;
  if (const auto resident = number_behind(status, "VmRSS:")) {
    use.memory = MemoryUse{CountedBy::processes, *resident * k_kib, {}, {}, {}};
    if (const auto peak = number_behind(status, "VmHWM:")) {
      use.memory->peak_bytes = *peak * k_kib;
    }
  }
  if (const auto threads = number_behind(status, "Threads:")) {
    use.pids = PidsUse{CountedBy::processes, *threads, std::nullopt};
  }
  return use;
}

ResourceUse use_of_machine() {
  ResourceUse use;
  const auto stat = content_of("/proc/stat");
  std::array<unsigned long long, 7> times{}; // user, nice, system, idle, iowait, irq, softirq
  const auto read = std::sscanf(
      stat.c_str(), "cpu %llu %llu %llu %llu %llu %llu %llu", times.data(), &times[1], &times[2], &times[3],
      &times[4], &times[5], &times[6]);
  if (read == static_cast<int>(times.size())) {
    const auto busy = times[0] + times[1] + times[2] + times[5] + times[6];
    const auto processors = ::sysconf(_SC_NPROCESSORS_ONLN);
    use.cpu = CpuUse{CountedBy::machine, usec_of_ticks(busy), static_cast<double>(processors)};
  }
  const auto memory = content_of("/proc/meminfo");
  const auto total = number_behind(memory, "MemTotal:");
  const auto available = number_behind(memory, "MemAvailable:");
  if (total && available) {
    constexpr std::uint64_t k_kib = 1 << 10;
    use.memory = MemoryUse{
        CountedBy::machine, (*total - std::min(*total, *available)) * k_kib, {}, {}, *total * k_kib};
  }
  return use;
}

} // namespace pyro::os
