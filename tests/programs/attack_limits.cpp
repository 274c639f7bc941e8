// What the kernel counts by user or for the machine: takes as much of one of them as it can get, says how
// much, and keeps it until its standard input ends. Argument: inotify, signals, timers, terminals, files,
// queues or epoll. With `spread` it goes on as other users of the sandbox, for epoll in other processes of
// its own user; with `few` it takes five. `flight` and `thread` are `spread` by processes that hide what they
// have open: on its way through a socket, or in the table of a thread whose process has closed it.
#include "attack.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstring>
#include <fcntl.h>
#include <functional>
#include <mqueue.h>
#include <sched.h>
#include <signal.h>
#include <string>
#include <thread>
#include <time.h>
#include <tuple>
#include <unistd.h>
#include <vector>

namespace {

constexpr long k_bound = 200'000;
constexpr long k_many = 100'000'000;

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

/// A watch for each pair of an epoll instance and an event descriptor.
class Watches {
public:
  explicit Watches(long most) {
    for (long i = 0; i < std::min(most, k_events); ++i) {
      m_events.push_back(::eventfd(0, EFD_CLOEXEC));
    }
    m_next = m_events.size();
  }

  bool operator()() {
    if (m_next == m_events.size()) {
      m_next = 0;
      m_epoll = ::epoll_create1(EPOLL_CLOEXEC);
    }
    epoll_event event{};
    event.events = EPOLLIN;
    return m_epoll >= 0 && ::epoll_ctl(m_epoll, EPOLL_CTL_ADD, m_events[m_next++], &event) == 0;
  }

private:
  static constexpr long k_events = 600;
  std::vector<int> m_events;
  std::size_t m_next = 0;
  int m_epoll = -1;
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
  if (what == "epoll") {
    return until_refused(most, Watches(most));
  }
  return -1;
}

struct Taken {
  long count = 0;
  int code = 0; // of the attempt that was refused
};

std::string link_of(int number) {
  char text[64]{};
  const auto path = "/proc/thread-self/fd/" + std::to_string(number);
  return ::readlink(path.c_str(), text, sizeof(text) - 1) > 0 ? text : "";
}

/// Sends what can be watched with through a socket that nobody reads, and closes it here.
void put_in_flight() {
  int pair[2]{};
  ::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair);
  for (int number = 3; number < 20'000; ++number) {
    const auto what = link_of(number);
    if (what != "anon_inode:inotify" && what != "anon_inode:[eventpoll]") {
      continue;
    }
    char byte = 0;
    iovec part{&byte, 1};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))]{};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof(control);
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &number, sizeof(int));
    if (::sendmsg(pair[0], &message, MSG_DONTWAIT) < 0) {
      ::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair); // that one is full
      if (::sendmsg(pair[0], &message, MSG_DONTWAIT) < 0) {
        return; // as many as a user may have there; the others stay open
      }
    }
    ::close(number);
  }
}

/// In a thread with a table of its own, which stays; the process has nothing of it.
long take_in_thread(const std::string& what, long most, int& code) {
  long count = 0;
  int done[2]{};
  std::ignore = ::pipe(done);
  std::thread([&, end = done[1]] {
    ::unshare(CLONE_FILES);
    const long taken = take(what, most);
    count = taken;
    code = errno;
    std::ignore = ::write(end, "", 1);
    ::pause();
  }).detach();
  char byte = 0;
  std::ignore = ::read(done[0], &byte, 1);
  return count;
}

/// Children, as users of their own where `as_others`, each of which takes what it can get, until `most` of
/// them ran or one was refused with ENOSPC; the sum is told.
Taken take_in_children(const std::string& what, uid_t most, bool as_others, const std::string& how) {
  int pipe[2]{};
  Taken sum;
  if (::pipe(pipe) != 0) {
    return sum;
  }
  for (uid_t number = 0; number < most && sum.code != ENOSPC; ++number) {
    const pid_t child = ::fork();
    if (child < 0) {
      break;
    }
    if (child == 0) {
      const uid_t user = 2000 + number;
      Taken taken;
      if (!as_others || ::setresuid(user, user, user) == 0) {
        const long bound = as_others ? k_bound : k_many;
        if (how == "thread") {
          taken.count = take_in_thread(what, bound, taken.code);
        } else {
          taken.count = take(what, bound);
          taken.code = errno;
        }
        if (how == "flight") {
          put_in_flight();
        }
      }
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      std::ignore = ::write(pipe[1], &taken, sizeof(taken));
      ::pause();
      ::_exit(0);
    }
    Taken taken;
    std::ignore = ::read(pipe[0], &taken, sizeof(taken));
    sum = {sum.count + taken.count, taken.code};
  }
  return sum;
}

} // namespace

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  const std::string how = argc > 2 ? argv[2] : "";
  const bool few = how == "few";
  const bool hides = how == "flight" || how == "thread";
  const bool spread = hides || how == "spread";
  const bool is_shared = what == "epoll"; // more of it than one process has descriptors for
  Taken taken;
  if (!(spread && is_shared) && !hides) {
    taken.count = take(what, few ? 5 : k_bound);
    taken.code = errno;
  }
  if (taken.count < 0) {
    std::fprintf(stderr, "usage: attack_limits WHAT [spread]\n");
    return 64;
  }
  if (spread) {
    const auto more = take_in_children(what, is_shared ? 200 : 16, !is_shared, how);
    taken = {taken.count + more.count, is_shared ? more.code : taken.code};
  }
  std::printf("took %ld, then %s\n", taken.count, attack::error_name(taken.code).c_str());
  std::fflush(stdout);
  char byte = 0;
  while (!few && ::read(0, &byte, 1) > 0) {
  }
  return 0;
}
