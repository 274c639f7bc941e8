#include "start_report.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/clock.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <map>
#include <poll.h>
#include <unistd.h>

namespace pyro::agent {

namespace {

using std::chrono::milliseconds;

/// Far more than a start takes by itself.
constexpr milliseconds k_patience{250};
/// All waiting together: so much at once, and a twentieth of the time that passes.
constexpr milliseconds k_most{1000};
constexpr int k_share = 20;

struct Remembered {
  os::Fd pipe;
  StartNames names;
};

std::map<pid_t, Remembered>& remembered() {
  static std::map<pid_t, Remembered> s_starts;
  return s_starts;
}

/// What may be waited for now; what is waited is taken off by spend().
class Allowance {
public:
  milliseconds left() {
    const auto now = os::now_monotonic();
    m_left = std::min(k_most, m_left + (now - m_at) / k_share);
    m_at = now;
    return std::min(m_left, k_patience);
  }

  void spend(milliseconds time) { m_left = std::max(m_left - time, milliseconds(0)); }

private:
  milliseconds m_left = k_most;
  milliseconds m_at = os::now_monotonic();
};

Allowance& allowance() {
  static Allowance s_allowance;
  return s_allowance;
}

/// Closed: done. Bytes: failed.
Start look(int pipe, milliseconds patience, StartReport& report) {
  pollfd waiting{pipe, POLLIN, 0};
  int ready = 0;
  while ((ready = ::poll(&waiting, 1, static_cast<int>(patience.count()))) < 0 && errno == EINTR) {
  }
  if (ready <= 0) {
    return Start::under_way;
  }
  const auto count = ::read(pipe, &report, sizeof(report));
  return count == static_cast<ssize_t>(sizeof(report)) ? Start::failed : Start::done;
}

} // namespace

int exit_code_of(const StartReport& report) {
  return report.stage == StartStage::program && report.error == ENOENT ? 127 : 126;
}

std::string explain(const StartReport& report, const StartNames& names) {
  const auto* reason = std::strerror(report.error);
  switch (report.stage) {
  case StartStage::program:
    if (report.error == ENOENT) {
      return fmt::format("{}: program not found (or the interpreter it names)", names.program);
    }
    return fmt::format("{}: cannot be executed: {}", names.program, reason);
  case StartStage::directory:
    return fmt::format("cannot enter the directory {}: {}", names.directory, reason);
  case StartStage::user:
    return fmt::format("cannot become the user {}: {}", names.user, reason);
  default:
    return fmt::format("cannot set up the process: {}", reason);
  }
}

Start await_start(int pipe, StartReport& report) {
  const auto begin = os::now_monotonic();
  const auto start = look(pipe, allowance().left(), report);
  allowance().spend(os::now_monotonic() - begin);
  return start;
}

void remember_start(pid_t child, os::Fd pipe, StartNames names) {
  // Those of before that have become their programs meanwhile, or that nobody asked after, are let go.
  std::erase_if(remembered(), [](const auto& one) {
    pollfd waiting{one.second.pipe.get(), POLLIN, 0};
    const bool has_hung_up = ::poll(&waiting, 1, 0) > 0 && (waiting.revents & POLLIN) == 0;
    return has_hung_up || ::kill(one.first, 0) < 0;
  });
  remembered().insert_or_assign(child, Remembered{std::move(pipe), std::move(names)});
}

std::optional<std::string> note_of_failed_start(pid_t child) {
  const auto found = remembered().find(child);
  if (found == remembered().end()) {
    return std::nullopt;
  }
  const auto start = std::move(found->second);
  remembered().erase(found);
  StartReport report{};
  return look(start.pipe.get(), milliseconds(0), report) == Start::failed
             ? std::optional(explain(report, start.names))
             : std::nullopt;
}

} // namespace pyro::agent
