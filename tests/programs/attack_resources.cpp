// C17. Resources and signals. Argument: fork, memory, descriptors, signals or daemon MARKER.
#include "attack.hpp"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <cstdlib>
#include <fcntl.h>
#include <signal.h>
#include <string>
#include <unistd.h>
#include <vector>

namespace {

/// As many sleeping children as are allowed, at most 2,000; the sandbox's limit is far lower.
void forks() {
  std::vector<pid_t> children;
  int code = 0;
  while (children.size() < 2000) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::pause();
      ::_exit(0);
    }
    if (child < 0) {
      code = errno;
      break;
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    ::kill(child, SIGKILL);
  }
  for (const pid_t child : children) {
    ::waitpid(child, nullptr, 0);
  }
  attack::holds(
      "resources.fork_bomb", code == EAGAIN,
      std::to_string(children.size()) + " children, then " + attack::error_name(code));
}

/// A child that touches 2 GiB; the limit must end it, or refuse the memory.
void memory() {
  const pid_t child = ::fork();
  if (child == 0) {
    for (int block = 0; block < 32; ++block) {
      constexpr std::size_t size = 64 << 20;
      void* at = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      if (at == MAP_FAILED) {
        ::_exit(1);
      }
      std::memset(at, 1, size);
    }
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  const bool stopped = WIFSIGNALED(status) || WEXITSTATUS(status) == 1;
  attack::holds(
      "resources.memory_bomb", stopped,
      WIFSIGNALED(status) ? "killed"
      : stopped           ? "ENOMEM"
                          : "2 GiB touched");
}

void descriptors() {
  rlimit more{1u << 24, 1u << 24};
  attack::refused("resources.raise_descriptors", ::setrlimit(RLIMIT_NOFILE, &more), {EPERM});
  std::vector<int> open;
  int one = 0;
  while ((one = ::open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0 && open.size() < 2'000'000) {
    open.push_back(one);
  }
  attack::refused("resources.descriptors", one, {EMFILE, ENFILE});
}

void signals() {
  // pid 1 does not take from inside what it has no handler for; stopping or killing it would end the agent.
  for (const int number : {SIGKILL, SIGSTOP, SIGSEGV, SIGTERM, SIGHUP, SIGUSR1, SIGQUIT}) {
    ::kill(1, number);
  }
  ::usleep(200'000);
  attack::holds("signals.agent_alive", ::kill(1, 0) == 0 || errno == EPERM, "pid 1 is there");
  rlimit none{0, 0};
  attack::refused(
      "signals.prlimit_of_agent", ::prlimit(1, RLIMIT_NOFILE, &none, nullptr), {EPERM, EACCES, ENOSYS});
  if (::kill(-1, SIGKILL) != 0 && errno != ESRCH) {
    attack::refused("signals.kill_all", -1, {EPERM});
  } else {
    attack::blocked("signals.kill_all", "all but pid 1 and the sender");
  }
}

/// Two forks and a session of its own: must still end with its sandbox.
void daemonize(const char* marker) {
  if (::fork() == 0) {
    ::setsid();
    if (::fork() == 0) {
      for (int number = 0; number < 3; ++number) {
        ::close(number);
      }
      ::signal(SIGTERM, SIG_IGN);
      ::signal(SIGHUP, SIG_IGN);
      ::execl("/proc/self/exe", marker, "wait", nullptr);
    }
    ::_exit(0);
  }
  ::usleep(200'000);
  attack::blocked("daemon.started", marker);
}

} // namespace

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  if (what == "fork") {
    forks();
  } else if (what == "memory") {
    memory();
  } else if (what == "descriptors") {
    descriptors();
  } else if (what == "signals") {
    signals();
  } else if (what == "daemon" && argc > 2) {
    daemonize(argv[2]);
  } else if (what == "wait") {
    while (true) {
      ::pause();
    }
  } else {
    std::fprintf(stderr, "usage: attack_resources fork|memory|descriptors|signals|daemon MARKER\n");
    return 64;
  }
  return attack::done();
}
