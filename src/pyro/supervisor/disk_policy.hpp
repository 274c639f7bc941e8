// When to look how much a sandbox has written, and what follows from it. Pure: what the file system and the
// processes say comes in, a decision goes out (docs/decisions/0038).
#pragma once

#include <pyro/os/tree_usage.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>

namespace pyro::supervisor {

struct DiskLimits {
  std::uint64_t bytes = 0;
  std::uint64_t entries = 0;
  std::uint64_t reserve = 0; // what the whole file system must keep free
};

/// As many files as mke2fs(8) gives a disk of that size, but never a handful.
DiskLimits disk_limits_of(std::uint64_t bytes, std::uint64_t file_system_bytes);

/// The whole file system, sandbox or not: costs nothing to ask.
struct FileSystemState {
  std::uint64_t used_bytes = 0;
  std::uint64_t used_entries = 0;
  std::uint64_t free_bytes = 0;
};

class DiskPolicy {
public:
  using Time = std::chrono::milliseconds;

  enum class Step {
    rest,
    look,             // count what the sandbox takes
    look_frozen,      // the same while it stands still: it may be over the limit, and is writing
    stop_for_reserve, // it writes while the file system is all but full
  };

  enum class Verdict { within, too_many_bytes, too_many_entries };

  explicit DiskPolicy(DiskLimits limits) { set_limits(limits); }

  void set_limits(DiskLimits limits);

  const DiskLimits& limits() const { return m_limits; }

  /// `written`: bytes that the sandbox's processes have written so far; nullopt: nobody knows. Asked only
  /// where it matters.
  Step
  next(Time now, const FileSystemState& state, const std::function<std::optional<std::uint64_t>()>& written);

  /// What a look found, and how long it took. Whoever is over the limit is stopped once; after that it may
  /// delete, and is stopped again when it grows.
  Verdict looked(Time now, Time cost, const os::TreeUsage& usage);

  /// Whoever wrote has been ended. What was written between the look and that end is not held against who
  /// comes next: the next look, which is due at once, says from where on it counts.
  void writers_ended();

  /// How long nothing can go far wrong without being looked at.
  Time pause() const;

private:
  std::uint64_t room_bytes() const;
  std::uint64_t room_entries() const;
  bool is_writing(const std::optional<std::uint64_t>& written, std::uint64_t since, std::uint64_t room) const;

  DiskLimits m_limits;
  std::uint64_t m_allowed_bytes = 0;
  std::uint64_t m_allowed_entries = 0;
  os::TreeUsage m_usage;
  bool m_has_looked = false;
  bool m_starts_anew = false; // the next look is the first after a stop
  std::optional<FileSystemState> m_last;
  std::uint64_t m_grown_bytes = 0; // of the file system since the last look; what was freed is not taken off
  std::uint64_t m_grown_entries = 0;
  std::uint64_t m_written_at_look = 0;
  std::optional<std::uint64_t> m_written_at_floor;
  Time m_looked_at{0};
  Time m_cost{0};
};

} // namespace pyro::supervisor
