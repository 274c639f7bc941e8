#include "memory_kills.hpp"

#include <pyro/base/text.hpp>
#include <pyro/base/units.hpp>
#include <pyro/os/clock.hpp>

#include <array>
#include <charconv>
#include <unistd.h>

namespace pyro::agent {

namespace {

std::int64_t read_counter(int fd) {
  constexpr std::string_view k_key = "oom_kill ";
  std::array<char, 32 << 10> buffer{}; // /proc/vmstat is the longest, with a few thousand bytes
  const auto size = fd < 0 ? 0 : ::pread(fd, buffer.data(), buffer.size(), 0);
  if (size <= 0) {
    return 0;
  }
  for (const auto line : lines_of(std::string_view(buffer.data(), static_cast<std::size_t>(size)))) {
    std::int64_t value = 0;
    if (line.starts_with(k_key)
        && std::from_chars(line.data() + k_key.size(), line.data() + line.size(), value).ec == std::errc()) {
      return value;
    }
  }
  return 0;
}

} // namespace

MemoryKills::MemoryKills(os::Fd counter, std::int64_t limit_bytes)
    : m_counter(std::move(counter)), m_limit_bytes(limit_bytes), m_base(read_counter(m_counter.get())) {
}

std::int64_t MemoryKills::count() const {
  return read_counter(m_counter.get()) - m_base;
}

bool MemoryKills::explains(const std::string& who, std::int64_t before) {
  const auto now = count();
  if (now <= m_explained || now <= before) {
    return false;
  }
  m_explained = now;
  m_last = who;
  m_last_at = os::now_epoch();
  return true;
}

std::string MemoryKills::what() const {
  const auto limit = m_limit_bytes > 0 ? ": " + format_bytes(static_cast<std::uint64_t>(m_limit_bytes)) : "";
  return "out of memory (environment.resources.memory" + limit + ")";
}

std::string MemoryKills::reason() const {
  return "killed: " + what();
}

Json MemoryKills::to_json() const {
  return {{"count", count()}, {"last", m_last.empty() ? Json() : Json{{"who", m_last}, {"at", m_last_at}}}};
}

} // namespace pyro::agent
