// Who was killed because the sandbox's memory was exhausted. The kernel only counts; the count is raised
// before the process dies, so whoever is found dead by SIGKILL after it rose was its victim.
#pragma once

#include <pyro/base/json_access.hpp>
#include <pyro/os/fd.hpp>

#include <cstdint>
#include <string>

namespace pyro::agent {

class MemoryKills {
public:
  /// Nothing is known: count() stays 0.
  MemoryKills() = default;
  /// `counter` has a line "oom_kill N": memory.events or memory.oom_control of the control group, or
  /// /proc/vmstat of a machine. `limit_bytes`: for the text; 0: not known.
  MemoryKills(os::Fd counter, std::int64_t limit_bytes);

  std::int64_t count() const;

  /// A child was found dead by SIGKILL that nobody here sent; `before`: the count when it was started. True:
  /// for want of memory, and it is remembered as the last one.
  bool explains(const std::string& who, std::int64_t before);
  /// "out of memory (environment.resources.memory: 128MiB)"
  std::string what() const;
  /// "killed: out of memory (environment.resources.memory: 128MiB)"
  std::string reason() const;
  /// {count, last: {who, at} or null}
  Json to_json() const;

private:
  os::Fd m_counter;
  std::int64_t m_limit_bytes = 0;
  std::int64_t m_base = 0; // counted before we began
  std::int64_t m_explained = 0;
  std::string m_last;
  double m_last_at = 0;
};

} // namespace pyro::agent
