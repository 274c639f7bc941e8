// What the kernel counts by user or for the machine: takes as much of one of them as it can get, says how
// much, and keeps it until its standard input ends. Argument: inotify, signals, timers, terminals, files
// or queues. With `spread` it goes on as other users of the sandbox; with `few` it takes five.
#include "attack.hpp"

#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <functional>
#include <mqueue.h>
#include <signal.h>
#include <string>
#include <time.h>
#include <tuple>
#include <unistd.h>
#include <vector>

namespace {

constexpr long k_bound = 200'000;

/// Repeats `take` until it fails or there are `most`; says what ended it.
long until_refused(long most, const std::function<bool()>& take) {
  long count = 0;
  while (count < most && take()) {
    ++count;
  }
  return count;
}

void raise_descriptors() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

bool take_inotify() {
  return ::inotify_init1(IN_CLOEXEC) >= 0;
}

bool take_signal() {
  sigval value{};
  return ::sigqueue(::getpid(), SIGRTMIN, value) == 0;
}

bool take_timer() {
  sigevent event{};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = SIGRTMIN;
  timer_t timer{};
  return ::timer_create(CLOCK_MONOTONIC, &event, &timer) == 0;
}

bool take_terminal() {
  const int fd = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  return fd >= 0;
}

bool take_file() {
  return ::open("/dev/null", O_RDONLY | O_CLOEXEC) >= 0;
}

class Queues {
public:
  bool operator()() {
    mq_attr attributes{};
    attributes.mq_maxmsg = 10;
    attributes.mq_msgsize = 8192;
    const auto name = "/q" + std::to_string(::getpid()) + "-" + std::to_string(m_count++);
    const mqd_t queue = ::mq_open(name.c_str(), O_RDWR | O_CREAT, 0600, &attributes);
    const int code = errno;
    ::mq_unlink(name.c_str()); // it goes with the process
    errno = code;
    return queue >= 0;
  }

private:
  int m_count = 0;
};

long take(const std::string& what, long most) {
  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGRTMIN);
  ::sigprocmask(SIG_BLOCK, &blocked, nullptr);
  raise_descriptors();
  if (what == "inotify") {
    return until_refused(most, take_inotify);
  }
  if (what == "signals") {
    return until_refused(most, take_signal);
  }
  if (what == "timers") {
    return until_refused(most, take_timer);
  }
  if (what == "terminals") {
    return until_refused(most, take_terminal);
  }
  if (what == "files") {
    return until_refused(most, take_file);
  }
  if (what == "queues") {
    return until_refused(most, Queues());
  }
  return -1;
}

/// Children as users of their own, each of which takes what it can get; the sum is told.
long take_as_others(const std::string& what) {
  int pipe[2]{};
  if (::pipe(pipe) != 0) {
    return -1;
  }
  long sum = 0;
  for (uid_t user = 2000; user < 2016; ++user) {
    const pid_t child = ::fork();
    if (child < 0) {
      break;
    }
    if (child == 0) {
      long count = ::setresuid(user, user, user) == 0 ? take(what, k_bound) : 0;
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      std::ignore = ::write(pipe[1], &count, sizeof(count));
      ::pause();
      ::_exit(0);
    }
    long count = 0;
    std::ignore = ::read(pipe[0], &count, sizeof(count));
    sum += count;
  }
  return sum;
}

} // namespace

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  const bool spread = argc > 2 && std::string(argv[2]) == "spread";
  const bool few = argc > 2 && std::string(argv[2]) == "few";
  long count = take(what, few ? 5 : k_bound);
  const int code = errno;
  if (count < 0) {
    std::fprintf(stderr, "usage: attack_limits WHAT [spread]\n");
    return 64;
  }
  if (spread) {
    count += take_as_others(what);
  }
  std::printf("took %ld, then %s\n", count, attack::error_name(code).c_str());
  std::fflush(stdout);
  char byte = 0;
  while (!few && ::read(0, &byte, 1) > 0) {
  }
  return 0;
}
