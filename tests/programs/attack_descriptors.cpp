// A. Inherited descriptors, the agent's program and memory, processes outside.
// Arguments: a text that only a process of the host has in its command line.
#include "attack.hpp"

#include <linux/kcmp.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include <dirent.h>
#include <fcntl.h>
#include <string>
#include <unistd.h>

namespace {

std::string link_of(const std::string& path) {
  char target[4096];
  const auto size = ::readlink(path.c_str(), target, sizeof target - 1);
  return size < 0 ? "?" : std::string(target, static_cast<std::size_t>(size));
}

void inherited() {
  DIR* directory = ::opendir("/proc/self/fd");
  if (directory == nullptr) {
    attack::missing("descriptors.inherited", "no /proc/self/fd");
    return;
  }
  std::string extra;
  while (const auto* entry = ::readdir(directory)) {
    const std::string name = entry->d_name;
    if (name[0] == '.' || std::stoi(name) <= 2 || std::stoi(name) == ::dirfd(directory)) {
      continue;
    }
    extra += name + "=" + link_of("/proc/self/fd/" + name) + " ";
  }
  ::closedir(directory);
  attack::holds("descriptors.inherited", extra.empty(), extra.empty() ? "only 0, 1 and 2" : extra);
  for (const char* standard : {"0", "1", "2"}) {
    struct stat what {};

    // A directory as standard stream would be a way out (openat through it).
    const bool usable = ::fstat(std::stoi(standard), &what) == 0 && S_ISDIR(what.st_mode);
    attack::holds(
        std::string("descriptors.standard_") + standard, !usable,
        link_of(std::string("/proc/self/fd/") + standard));
  }
}

void agent() {
  attack::refused(
      "agent.exe_write", ::open("/proc/1/exe", O_WRONLY | O_CLOEXEC), {EACCES, EPERM, EROFS, ETXTBSY});
  const int path = ::open("/proc/1/exe", O_PATH | O_CLOEXEC);
  if (path < 0) {
    attack::refused("agent.exe_reopen", path, {EACCES, EPERM});
  } else {
    const auto again = "/proc/self/fd/" + std::to_string(path);
    attack::refused(
        "agent.exe_reopen", ::open(again.c_str(), O_RDWR | O_CLOEXEC), {EACCES, EPERM, EROFS, ETXTBSY});
  }
  attack::refused("agent.mem_write", ::open("/proc/1/mem", O_RDWR | O_CLOEXEC), {EACCES, EPERM, EROFS});
  attack::refused("agent.ptrace", ::ptrace(PTRACE_SEIZE, 1, nullptr, nullptr), {EPERM, EACCES, ENOSYS});
  char byte = 0;
  iovec local{&byte, 1};
  iovec remote{reinterpret_cast<void*>(0x400000), 1};
  attack::refused(
      "agent.process_vm_readv", ::process_vm_readv(1, &local, 1, &remote, 1, 0), {EPERM, EACCES, ENOSYS});
  attack::refused("agent.kcmp", ::syscall(SYS_kcmp, 1, ::getpid(), KCMP_FILE, 0, 0), {EPERM, EACCES, ENOSYS});
  const int handle = static_cast<int>(::syscall(SYS_pidfd_open, 1, 0));
  if (handle < 0) {
    attack::refused("agent.pidfd_getfd", handle, {EPERM, EACCES, ENOSYS});
  } else {
    // The agent's channel is somewhere among its first descriptors.
    int got = -1;
    for (int number = 0; number < 32 && got < 0; ++number) {
      got = static_cast<int>(::syscall(SYS_pidfd_getfd, handle, number, 0));
    }
    attack::refused("agent.pidfd_getfd", got, {EPERM, EACCES, ENOSYS});
  }
  attack::refused(
      "agent.fd_directory", ::open("/proc/1/fd/0", O_RDWR | O_CLOEXEC), {EACCES, EPERM, ENXIO, ENOENT});
  attack::refused(
      "agent.root", ::open("/proc/1/cwd/..", O_RDONLY | O_DIRECTORY | O_CLOEXEC), {EACCES, EPERM, ENOENT});
}

void outside(const std::string& canary) {
  DIR* directory = ::opendir("/proc");
  if (directory == nullptr) {
    attack::missing("processes.outside", "no /proc");
    return;
  }
  std::string seen;
  int own = 0;
  while (const auto* entry = ::readdir(directory)) {
    if (entry->d_name[0] < '0' || entry->d_name[0] > '9') {
      continue;
    }
    ++own;
    const auto path = std::string("/proc/") + entry->d_name + "/cmdline";
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    char text[4096];
    const auto size = file < 0 ? 0 : ::read(file, text, sizeof text);
    ::close(file);
    const std::string arguments(text, size > 0 ? static_cast<std::size_t>(size) : 0);
    if (arguments.find(canary) != std::string::npos && std::stoi(entry->d_name) != ::getpid()
        && std::stoi(entry->d_name) != ::getppid()) {
      seen += std::string(entry->d_name) + " ";
    }
  }
  ::closedir(directory);
  attack::holds(
      "processes.outside", seen.empty() && own > 1 && own < 60,
      seen.empty() ? std::to_string(own) + " processes seen" : seen);
}

void directories() {
  struct stat root {
  }, above{};

  if (::stat("/", &root) != 0 || ::stat("/../../../../..", &above) != 0) {
    attack::missing("cwd.above_root", attack::error_name(errno));
  } else {
    attack::holds("cwd.above_root", root.st_ino == above.st_ino && root.st_dev == above.st_dev, "/.. is /");
  }

  // From a deleted working directory ".." still leads to where it was, and nowhere else.
  struct stat parent {};

  if (::mkdir("/tmp/gone", 0700) != 0 || ::chdir("/tmp/gone") != 0 || ::rmdir("/tmp/gone") != 0
      || ::stat("/tmp", &parent) != 0) {
    attack::missing("cwd.deleted", attack::error_name(errno));
    return;
  }
  const int up = ::open("..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (up < 0) {
    attack::refused("cwd.deleted", up, {ENOENT});
  } else {
    const bool same =
        ::fstat(up, &above) == 0 && above.st_ino == parent.st_ino && above.st_dev == parent.st_dev;
    attack::holds("cwd.deleted", same, same ? ".. is /tmp" : ".. is another directory");
    ::close(up);
  }
  for (int i = 0; i < 64; ++i) {
    if (::chdir("..") != 0) {
      break;
    }
  }
  const bool at_root = ::stat(".", &above) == 0 && above.st_ino == root.st_ino && above.st_dev == root.st_dev;
  attack::holds("cwd.deleted_climb", at_root || above.st_ino == parent.st_ino, "climbing ends at the root");
  if (::chdir("/") != 0) {
    attack::missing("cwd.back", attack::error_name(errno));
  }
}

} // namespace

int main(int argc, char** argv) {
  inherited();
  agent();
  outside(argc > 1 ? argv[1] : "no canary given");
  directories();
  return attack::done();
}
