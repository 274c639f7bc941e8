#include "freezer.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/clock.hpp>

#include <algorithm>
#include <csignal>
#include <ctime>
#include <utility>

namespace pyro::agent {

namespace {

/// A process in the middle of a write to a busy disk stops when that is done.
constexpr std::chrono::milliseconds k_patience{20'000};

/// For a program to come to its exec.
constexpr timespec k_until_exec{0, 2'000'000};

bool is_stopped(char state) {
  return state == 'T' || state == 't';
}

} // namespace

std::size_t Freezer::freeze() {
  if (m_frozen) {
    return m_stopped.size();
  }
  m_frozen = true;
  std::set<pid_t> known;
  auto give_up = os::now_monotonic() + k_patience;
  for (bool first = true;; first = false) {
    bool still = true;
    pid_t culprit = 0;
    const auto subjects = list_subjects(m_is_init);
    for (const auto& process : subjects) {
      if (first && is_stopped(process.state)) {
        known.insert(process.pid); // stopped by its user: stays as it is
      } else if (known.insert(process.pid).second) {
        still = false; // it may have forked before the signal came: look again
        if (::kill(process.pid, SIGSTOP) == 0) {
          m_stopped.push_back(process.pid);
        }
      } else if (!is_stopped(process.state)) {
        still = false;
        culprit = process.pid;
        let_children_of_vfork_go_on(process, subjects, known);
      }
    }
    if (still) {
      return m_stopped.size();
    }
    if (os::now_monotonic() > give_up) {
      thaw();
      throw Error(
          ErrorCode::failed, "process {} could not be stopped within {} ms", culprit, k_patience.count());
    }
    timespec moment{0, 200000};
    ::nanosleep(&moment, nullptr);
  }
}

/// Who has called vfork(2) sleeps uninterruptibly until the child has come to its exec, and does not stop
/// before: a child that was stopped on the way there is stopped anew when it is seen again.
void Freezer::let_children_of_vfork_go_on(
    const ProcessStat& parent, const std::vector<ProcessStat>& subjects, std::set<pid_t>& known) {
  if (parent.state != 'D') {
    return;
  }
  for (const auto& child : subjects) {
    const auto ours = std::find(m_stopped.begin(), m_stopped.end(), child.pid);
    if (child.parent == parent.pid && is_stopped(child.state) && ours != m_stopped.end()) {
      m_stopped.erase(ours);
      known.erase(child.pid);
      ::kill(child.pid, SIGCONT);
      ::nanosleep(&k_until_exec, nullptr);
    }
  }
}

std::size_t Freezer::thaw() {
  m_frozen = false;
  auto stopped = std::exchange(m_stopped, {});
  for (auto pid = stopped.rbegin(); pid != stopped.rend(); ++pid) {
    ::kill(*pid, SIGCONT);
  }
  return stopped.size();
}

} // namespace pyro::agent
