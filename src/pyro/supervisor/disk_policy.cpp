#include "disk_policy.hpp"

#include <algorithm>
#include <utility>

namespace pyro::supervisor {

namespace {

using Time = DiskPolicy::Time;

constexpr std::uint64_t k_mib = 1 << 20;
/// What may be written beyond the limit by who cleans up, and below which no growth is worth a look.
constexpr std::uint64_t k_spare_bytes = k_mib;
constexpr std::uint64_t k_spare_entries = 256;
constexpr std::uint64_t k_bytes_per_entry = 16 << 10; // as mke2fs
constexpr std::uint64_t k_least_entries = 1 << 16;
constexpr std::uint64_t k_most_reserve = 1ULL << 30;
constexpr std::uint64_t k_reserve_part = 50; // 2 %
/// What a sandbox is taken to write at most, per millisecond, until it is looked at again.
constexpr std::uint64_t k_bytes_per_ms = 4 * k_mib;
constexpr std::uint64_t k_entries_per_ms = 400;
constexpr Time k_shortest_pause{20};
constexpr Time k_longest_pause{500};
/// Looks that nothing urges take at most this part of the time.
constexpr int k_idle_share = 20;
/// Where the file system changed only a little there may still be something that it does not show.
constexpr Time k_longest_unseen{60'000};

std::uint64_t less(std::uint64_t from, std::uint64_t what) {
  return from > what ? from - what : 0;
}

} // namespace

DiskLimits disk_limits_of(std::uint64_t bytes, std::uint64_t file_system_bytes) {
  return {
      bytes, std::max(bytes / k_bytes_per_entry, k_least_entries),
      std::min(file_system_bytes / k_reserve_part, k_most_reserve)};
}

void DiskPolicy::set_limits(DiskLimits limits) {
  m_limits = limits;
  m_allowed_bytes = limits.bytes;
  m_allowed_entries = limits.entries;
}

std::uint64_t DiskPolicy::room_bytes() const {
  return less(m_allowed_bytes, m_usage.bytes);
}

std::uint64_t DiskPolicy::room_entries() const {
  return less(m_allowed_entries, m_usage.entries);
}

bool DiskPolicy::is_writing(
    const std::optional<std::uint64_t>& written, std::uint64_t since, std::uint64_t room) const {
  return !written || less(*written, since) >= room;
}

DiskPolicy::Step DiskPolicy::next(
    Time now, const FileSystemState& state, const std::function<std::optional<std::uint64_t>()>& written) {
  if (m_last) {
    m_grown_bytes += less(state.used_bytes, m_last->used_bytes);
    m_grown_entries += less(state.used_entries, m_last->used_entries);
  }
  m_last = state;
  if (state.free_bytes < m_limits.reserve) {
    const auto so_far = written().value_or(m_written_at_look + m_grown_bytes);
    if (!m_written_at_floor || so_far < *m_written_at_floor) { // what the ended ones wrote is in no sum
      m_written_at_floor = so_far;
    } else if (less(so_far, *m_written_at_floor) >= k_spare_bytes) {
      m_written_at_floor = so_far;
      return Step::stop_for_reserve;
    }
  } else {
    m_written_at_floor.reset();
  }
  const bool has_grown = m_grown_bytes >= std::max(room_bytes() / 2, k_spare_bytes)
                         || m_grown_entries >= std::max(room_entries() / 2, k_spare_entries);
  const bool is_overdue = (m_grown_bytes > 0 || m_grown_entries > 0) && now - m_looked_at >= k_longest_unseen;
  if (m_has_looked && !has_grown && !is_overdue) {
    return Step::rest;
  }
  auto step = Step::rest;
  const auto so_far = written();
  const auto room = std::max(room_bytes(), k_spare_bytes);
  const bool may_be_over = (m_grown_bytes >= room && is_writing(so_far, m_written_at_look, room))
                           || m_grown_entries >= std::max(room_entries(), k_spare_entries);
  if (may_be_over && now - m_looked_at >= m_cost) {
    step = Step::look_frozen;
  } else if (!m_has_looked || now - m_looked_at >= m_cost * k_idle_share) {
    step = Step::look;
  }
  if (step != Step::rest) {
    m_grown_bytes = m_grown_entries = 0;
    m_written_at_look = so_far.value_or(0);
  }
  return step;
}

DiskPolicy::Verdict DiskPolicy::looked(Time now, Time cost, const os::TreeUsage& usage) {
  m_usage = usage;
  m_has_looked = true;
  m_looked_at = now;
  m_cost = cost;
  if (std::exchange(m_starts_anew, false)) {
    m_allowed_bytes = std::max(m_allowed_bytes, usage.bytes + k_spare_bytes);
    m_allowed_entries = std::max(m_allowed_entries, usage.entries + k_spare_entries);
  }
  const auto verdict = usage.bytes > m_allowed_bytes       ? Verdict::too_many_bytes
                       : usage.entries > m_allowed_entries ? Verdict::too_many_entries
                                                           : Verdict::within;
  const bool is_over = verdict != Verdict::within;
  const auto renewed = [&](std::uint64_t allowed, std::uint64_t limit, std::uint64_t spare_use) {
    return std::max(limit, is_over ? spare_use : std::min(allowed, spare_use));
  };
  m_allowed_bytes = renewed(m_allowed_bytes, m_limits.bytes, usage.bytes + k_spare_bytes);
  m_allowed_entries = renewed(m_allowed_entries, m_limits.entries, usage.entries + k_spare_entries);
  return verdict;
}

void DiskPolicy::writers_ended() {
  m_has_looked = false;
  m_starts_anew = true;
  m_written_at_floor.reset();
}

Time DiskPolicy::pause() const {
  const auto left = std::min(
      less(room_bytes(), m_grown_bytes) / k_bytes_per_ms,
      less(room_entries(), m_grown_entries) / k_entries_per_ms);
  return std::clamp(Time(left), k_shortest_pause, k_longest_pause);
}

} // namespace pyro::supervisor
