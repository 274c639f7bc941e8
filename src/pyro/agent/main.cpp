// pyro-agent --channel-fd N [--secrets-dir DIR] [--workspace-dir DIR] [--upper-dir DIR] [--memory-events-fd
// N]
// [--memory-limit BYTES] [--oom-score-of-children N]: started by the
// launcher as the first process of a sandbox, or by a kernel as /init of a virtual machine.
#include "agent.hpp"
#include "launch.hpp"
#include "located.hpp"

#include <pyro/agent/guest/boot.hpp>
#include <pyro/base/error.hpp>

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <malloc.h>
#include <string_view>
#include <unistd.h>

namespace {

using namespace pyro;

agent::AgentOptions options_from(int argc, char** argv) {
  agent::AgentOptions options;
  int channel = -1;
  int memory_events = -1;
  std::int64_t memory_limit = 0;
  const auto number_from = [](std::string_view text, auto& number) {
    std::from_chars(text.data(), text.data() + text.size(), number);
  };
  for (int i = 1; i + 1 < argc; i += 2) {
    std::string_view name = argv[i];
    std::string_view value = argv[i + 1];
    if (name == "--channel-fd") {
      number_from(value, channel);
    } else if (name == "--memory-events-fd") {
      number_from(value, memory_events);
    } else if (name == "--memory-limit") {
      number_from(value, memory_limit);
    } else if (name == "--oom-score-of-children") {
      int adjustment = 0;
      number_from(value, adjustment);
      agent::set_oom_score_of_children(adjustment);
    } else if (name == "--secrets-dir") {
      options.secrets_dir = value;
    } else if (name == "--upper-dir") {
      options.upper_dir = value;
    } else if (name == "--workspace-dir") {
      agent::set_workspace_directory(std::string(value));
    } else {
      throw Error(ErrorCode::usage, "unknown option {}", name);
    }
  }
  if (channel < 0 || ::fcntl(channel, F_GETFD) < 0) {
    throw Error(ErrorCode::usage, "usage: pyro-agent --channel-fd N [--secrets-dir DIR]");
  }
  os::set_cloexec(channel, true);
  // 0, 1 and 2 must be taken, or pipes would land there and be mixed up with those of a child.
  options.channel = os::duplicate(channel, 3);
  if (channel > 2) {
    ::close(channel);
  }
  if (memory_events > 2) {
    os::set_cloexec(memory_events, true);
    options.memory_kills = agent::MemoryKills(os::Fd(memory_events), memory_limit);
  }
  for (int fd = 0; fd <= 2; ++fd) {
    if (channel == fd || ::fcntl(fd, F_GETFD) < 0) {
      auto nothing = os::open_file("/dev/null", O_RDWR);
      if (nothing.get() == fd) {
        nothing.release();
        os::set_cloexec(fd, false);
      } else if (::dup2(nothing.get(), fd) < 0) {
        throw Error(ErrorCode::io, "cannot occupy descriptor {}", fd);
      }
    }
  }
  return options;
}

/// What we may do nobody that we start may: as root they would get what is inheritable with their program.
void keep_capabilities_to_ourselves() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> sets{};
  if (::syscall(SYS_capget, &header, sets.data()) < 0) {
    throw Error::from_errno(errno, "capget");
  }
  for (auto& half : sets) {
    half.inheritable = 0;
  }
  if (::syscall(SYS_capset, &header, sets.data()) < 0) {
    throw Error::from_errno(errno, "capset");
  }
}

void protect_process() {
  for (int number :
       {SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGALRM, SIGUSR1, SIGUSR2, SIGTSTP, SIGTTIN, SIGTTOU}) {
    std::signal(number, SIG_IGN);
  }
  if (::getpid() == 1) {
    std::signal(SIGTERM, SIG_IGN);
    // Root in the sandbox must not read our memory or descriptors.
    ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  } else {
    ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); // orphans stay ours, as they would in a sandbox
  }
  keep_capabilities_to_ourselves();
  ::umask(022);
  ::clearenv();
  // One thread and small objects: give memory back early.
  ::mallopt(M_TRIM_THRESHOLD, 64 << 10);
  ::mallopt(M_MMAP_THRESHOLD, 64 << 10);
}

/// As the first process of a virtual machine: whatever happens, the machine ends with us.
[[noreturn]] void run_guest() {
  try {
    protect_process();
    agent::Agent* agent = nullptr; // never destroyed, see run()
    agent::boot_guest([&agent](agent::GuestBoot boot) {
      agent::AgentOptions options;
      options.channel = std::move(boot.channel);
      options.upper_dir = fmt::format("/proc/self/fd/{}", boot.uppers.release());
      options.is_guest = true;
      options.memory_kills = agent::MemoryKills(os::open_file("/proc/vmstat", O_RDONLY), 0);
      agent = new agent::Agent(std::move(options));
    });
    agent->run();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "pyro-agent: %s\n", error.what());
  }
  agent::power_off();
}

} // namespace

int main(int argc, char** argv) {
  if (agent::is_guest_init()) {
    run_guest();
  }
  try {
    auto options = options_from(argc, argv);
    protect_process();
    auto* agent = new agent::Agent(std::move(options)); // never destroyed, see run()
    ::_exit(agent->run());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "pyro-agent: %s\n", error.what());
    return 1;
  }
}
