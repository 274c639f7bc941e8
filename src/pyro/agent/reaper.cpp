#include "reaper.hpp"

#include <sys/wait.h>

namespace pyro::agent {

bool Reaper::has_ended(pid_t child) {
  siginfo_t info{};
  return ::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOHANG | WNOWAIT) == 0
         && info.si_pid == child;
}

void Reaper::collect() {
  int status = 0;
  for (pid_t pid = 0; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
    auto found = m_children.find(pid);
    if (found != m_children.end()) {
      auto callback = std::move(found->second);
      m_children.erase(found);
      callback(os::outcome_of(status));
    }
  }
}

} // namespace pyro::agent
