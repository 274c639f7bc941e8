#include <pyro/gateway/confinement.hpp>

#include <gtest/gtest.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <functional>
#include <map>
#include <string>
#include <unistd.h>

namespace pyro::gateway {
namespace {

/// `attempt` in a process that confined itself: its errno, 0 where it did not fail.
int confined(const std::function<long()>& attempt) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    confine_process();
    errno = 0;
    ::_exit(attempt() < 0 ? errno : 0);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(pid, &status, 0), pid);
  EXPECT_TRUE(WIFEXITED(status)) << status;
  return WEXITSTATUS(status);
}

TEST(GatewayConfinement, NothingIsStartedWrittenOrLookedInto) {
  const std::string path = ::testing::TempDir() + "/" + std::to_string(::getpid());
  static std::array<char*, 2> s_argv{const_cast<char*>("true"), nullptr};
  const std::map<std::string, std::function<long()>> attempts{
      {"execve",
       [] {
         return ::execv("/bin/true", s_argv.data());
       }},
      {"execveat",
       [] {
         return ::syscall(SYS_execveat, AT_FDCWD, "/bin/true", s_argv.data(), nullptr, 0);
       }},
      {"fork",
       [] {
         return ::syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
       }},
      {"clone3",
       [] {
         return ::syscall(SYS_clone3, nullptr, 0);
       }},
      {"create",
       [&] {
         return ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
       }},
      {"write",
       [] {
         return ::open("/dev/null", O_WRONLY | O_CLOEXEC);
       }},
      {"read and write",
       [] {
         return ::open("/dev/null", O_RDWR | O_CLOEXEC);
       }},
      {"truncate",
       [] {
         return ::open("/dev/null", O_RDONLY | O_TRUNC | O_CLOEXEC);
       }},
      {"a file of memory",
       [] {
         return ::memfd_create("x", 0);
       }},
      {"mkdir",
       [&] {
         return ::mkdir(path.c_str(), 0700);
       }},
      {"unlink",
       [&] {
         return ::unlink(path.c_str());
       }},
      {"ptrace",
       [] {
         return ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
       }},
      {"kill",
       [] {
         return ::kill(::getppid(), 0);
       }},
      {"memory of others",
       [] {
         return ::syscall(SYS_process_vm_readv, ::getppid(), nullptr, 0, nullptr, 0, 0);
       }},
      {"setns",
       [] {
         return ::syscall(SYS_setns, 0, 0);
       }},
      {"unshare",
       [] {
         return ::syscall(SYS_unshare, 0x10000000);
       }},
      {"bpf",
       [] {
         return ::syscall(SYS_bpf, 0, nullptr, 0);
       }},
      {"io_uring",
       [] {
         return ::syscall(SYS_io_uring_setup, 1, nullptr);
       }},
      {"a Unix socket",
       [] {
         return ::socket(AF_UNIX, SOCK_STREAM, 0);
       }},
      {"a packet socket",
       [] {
         return ::socket(AF_PACKET, SOCK_RAW, 0);
       }},
      {"a key socket",
       [] {
         return ::socket(AF_KEY, SOCK_RAW, 2);
       }},
      {"another filter",
       [] {
         return ::syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 0, nullptr);
       }},
      {"code",
       [] {
         return ::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
                    ? -1
                    : 0;
       }},
  };
  for (const auto& [name, attempt] : attempts) {
    EXPECT_EQ(confined(attempt), EPERM) << name;
  }
}

TEST(GatewayConfinement, ConnectionsAndFilesToReadAreThere) {
  const std::map<std::string, std::function<long()>> uses{
      {"read",
       [] {
         return ::open("/etc/hosts", O_RDONLY | O_CLOEXEC);
       }},
      {"TCP",
       [] {
         return ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
       }},
      {"UDP",
       [] {
         return ::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
       }},
      {"addresses",
       [] {
         return ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
       }},
      {"memory",
       [] {
         return ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
                        == MAP_FAILED
                    ? -1
                    : 0;
       }},
  };
  for (const auto& [name, use] : uses) {
    EXPECT_EQ(confined(use), 0) << name;
  }
}

} // namespace
} // namespace pyro::gateway
