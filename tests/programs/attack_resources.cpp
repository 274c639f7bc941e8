// C17, G28. Resources, signals, and the agent as a victim of the kernel. Argument: fork, memory, descriptors,
// signals, agent, hog, crowd or daemon MARKER.
#include "attack.hpp"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cstdlib>
#include <dirent.h>
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

/// Everything of pid 1 that a file mode would let us write.
void files_of_agent(const std::string& path) {
  DIR* directory = ::opendir(path.c_str());
  if (directory == nullptr) {
    attack::missing("agent" + path, attack::error_name(errno));
    return;
  }
  while (const auto* entry = ::readdir(directory)) {
    const auto file = path + "/" + entry->d_name;

    struct stat status {};

    if (::lstat(file.c_str(), &status) == 0 && S_ISREG(status.st_mode) && (status.st_mode & 0222) != 0) {
      attack::refused(
          "agent" + file, ::open(file.c_str(), O_WRONLY | O_CLOEXEC), {EROFS, EACCES, EPERM, ENOENT});
    }
  }
  ::closedir(directory);
}

void starve_agent() {
  files_of_agent("/proc/1");
  files_of_agent("/proc/1/task/1");

  struct {
    unsigned size = 48;
    unsigned policy = 5; // SCHED_IDLE
    unsigned long long rest[5] = {};
  } idle;

  int nothing = 0;
  unsigned long one_processor = 1;
  for (const long agent : {1L, 1L | 1L << 32}) {
    const std::string which = agent == 1 ? "" : "_upper";
    attack::refused("agent.priority" + which, ::syscall(SYS_setpriority, 0, agent, 19), {EPERM});
    attack::refused(
        "agent.scheduler" + which, ::syscall(SYS_sched_setscheduler, agent, 5, &nothing), {EPERM});
    attack::refused("agent.parameters" + which, ::syscall(SYS_sched_setparam, agent, &nothing), {EPERM});
    attack::refused("agent.attributes" + which, ::syscall(SYS_sched_setattr, agent, &idle, 0), {EPERM});
    attack::refused(
        "agent.affinity" + which,
        ::syscall(SYS_sched_setaffinity, agent, sizeof one_processor, &one_processor), {EPERM});
    attack::refused("agent.io_priority" + which, ::syscall(SYS_ioprio_set, 1, agent, 3 << 13), {EPERM});
    attack::refused("agent.limits" + which, ::syscall(SYS_prlimit64, agent, 7, &idle, nullptr), {EPERM});
  }
  attack::refused("agent.priority_of_user", ::syscall(SYS_setpriority, 2, 0, 19), {EPERM});
  attack::refused("agent.io_priority_of_user", ::syscall(SYS_ioprio_set, 3, 0, 3 << 13), {EPERM});
}

long write_to(const std::string& path, const char* text) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (file < 0) {
    return file;
  }
  const auto result = ::write(file, text, std::strlen(text));
  const int code = errno;
  ::close(file);
  errno = code;
  return result;
}

/// Makes itself the last to be chosen, as far as it may, and everybody else the first.
void blame_others() {
  attack::refused("oom.never_me", write_to("/proc/self/oom_score_adj", "-1000"), {EACCES, EPERM});
  attack::refused(
      "oom.never_me_by_the_old_file", write_to("/proc/self/oom_adj", "-17"), {EACCES, EPERM, ENOENT});
  attack::refused("oom.the_agent_first", write_to("/proc/1/oom_score_adj", "1000"), {EROFS, EACCES, EPERM});
  attack::refused(
      "oom.the_agent_first_by_the_old_file", write_to("/proc/1/oom_adj", "15"),
      {EROFS, EACCES, EPERM, ENOENT});
  for (int least = -999; least < 1000; ++least) {
    if (write_to("/proc/self/oom_score_adj", std::to_string(least).c_str()) > 0) {
      attack::blocked("oom.least_of_mine", std::to_string(least));
      break;
    }
  }
}

void touch(std::size_t size) {
  void* at = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) {
    ::_exit(1);
  }
  std::memset(at, 1, size);
}

/// Never returns where memory is limited.
void hog() {
  blame_others();
  for (int block = 0; block < 256; ++block) {
    touch(8 << 20);
  }
}

/// Many that are each smaller than the agent.
void crowd() {
  blame_others();
  for (int count = 0; count < 900; ++count) {
    if (::fork() == 0) {
      touch(512 << 10);
      ::pause();
    }
  }
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
  } else if (what == "agent") {
    starve_agent();
  } else if (what == "hog") {
    hog();
  } else if (what == "crowd") {
    crowd();
  } else if (what == "daemon" && argc > 2) {
    daemonize(argv[2]);
  } else if (what == "wait") {
    while (true) {
      ::pause();
    }
  } else {
    std::fprintf(
        stderr, "usage: attack_resources fork|memory|descriptors|signals|agent|hog|crowd|daemon MARKER\n");
    return 64;
  }
  return attack::done();
}
