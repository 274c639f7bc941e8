// pyro-gateway: started by a supervisor for a workspace whose egress is a list. Descriptor 3 is the
// supervisor's.
#include <pyro/base/error.hpp>
#include <pyro/gateway/confinement.hpp>
#include <pyro/gateway/gateway.hpp>

#include <sys/prctl.h>
#include <sys/resource.h>

#include <csignal>

int main() {
  constexpr int k_supervisor = 3;
  std::signal(SIGPIPE, SIG_IGN);
  ::prctl(PR_SET_DUMPABLE, 0); // no core, and nobody of its user looks into it: it holds secrets
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    std::ignore = ::setrlimit(RLIMIT_NOFILE, &files);
  }
  try {
    pyro::gateway::Gateway gateway{pyro::os::Fd(k_supervisor)};
    pyro::gateway::confine_process(); // it has read nothing of anybody yet
    gateway.run();
  } catch (const std::exception& error) {
    fmt::print(stderr, "the gateway ends: {}\n", error.what()); // the supervisor's log
    return 1;
  }
  return 0;
}
