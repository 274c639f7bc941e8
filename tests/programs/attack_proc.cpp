// A5. Kernel settings through /proc and /sys; secrets of the kernel and of the host. Arguments: paths of the
// host that must not be readable in here.
#include "attack.hpp"

#include <sys/mount.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <fstream>
#include <string>
#include <unistd.h>
#include <vector>

namespace {

void writes() {
  for (const char* path :
       {"/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe", "/proc/sys/kernel/hotplug",
        "/proc/sysrq-trigger", "/proc/sys/vm/drop_caches", "/proc/sys/kernel/panic", "/proc/sys/fs/file-max",
        "/proc/irq/default_smp_affinity", "/sys/kernel/uevent_helper",
        "/sys/kernel/mm/transparent_hugepage/enabled", "/sys/power/state", "/sys/kernel/security/lockdown",
        "/proc/sys/fs/binfmt_misc/register", "/sys/fs/cgroup/release_agent", "/proc/sys/net/ipv4/ip_forward",
        "/proc/acpi/wakeup", "/proc/mtrr"}) {
    // ENOENT: this kernel, or this sandbox, does not have the file at all; there is nothing to write to.
    attack::refused(
        std::string("write.") + path, ::open(path, O_WRONLY | O_CLOEXEC),
        {EROFS, EACCES, EPERM, ENOENT, ENOTDIR});
  }
}

/// Masked is as good as refused: nothing comes out.
void reads(const std::string& name, const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) {
    attack::refused("read." + name, file, {EACCES, EPERM, ENOENT, EIO, ENOTDIR, ELOOP});
    return;
  }

  struct stat what {};

  if (::fstat(file, &what) == 0 && S_ISDIR(what.st_mode)) {
    char entry[4096];
    const std::string probe = path + "/canary";
    attack::holds("read." + name, ::access(probe.c_str(), F_OK) != 0, "directory without the host's content");
    (void)entry;
    ::close(file);
    return;
  }
  char text[256];
  const auto size = ::read(file, text, sizeof text);
  attack::holds(
      "read." + name, size <= 0,
      size <= 0 ? "nothing to read"
                : "first bytes: " + std::string(text, static_cast<std::size_t>(size)).substr(0, 20));
  ::close(file);
}

/// The root of the sandbox may read its own shadow files, but they must not hold the host's hashes.
void password_hashes(const std::string& name, const char* path) {
  std::ifstream in(path);
  std::string held;
  int lines = 0;
  for (std::string line; std::getline(in, line); ++lines) {
    const auto begin = line.find(':');
    const auto end = begin == std::string::npos ? begin : line.find(':', begin + 1);
    const auto password = end == std::string::npos ? line : line.substr(begin + 1, end - begin - 1);
    if (password.find_first_not_of("*!x") != std::string::npos) {
      held += line.substr(0, begin) + " ";
    }
  }
  attack::holds(
      "read." + name, held.empty(),
      held.empty() ? std::to_string(lines) + " locked entries" : "passwords of " + held);
}

void kernel_addresses() {
  const int file = ::open("/proc/kallsyms", O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    attack::refused("read.kallsyms", file, {EACCES, EPERM, ENOENT});
    return;
  }
  char text[17] = {};
  const auto size = ::read(file, text, 16);
  ::close(file);
  const std::string address(text, size > 0 ? static_cast<std::size_t>(size) : 0);
  attack::holds(
      "read.kallsyms", address.find_first_not_of('0') == std::string::npos,
      address.empty() ? "empty" : address);
}

void masks() {
  attack::refused("mask.unmount_kcore", ::umount2("/proc/kcore", MNT_DETACH), {EPERM, EACCES, ENOSYS});
  attack::refused("mask.unmount_proc_sys", ::umount2("/proc/sys", MNT_DETACH), {EPERM, EACCES, ENOSYS});
  attack::refused("mask.unmount_sys", ::umount2("/sys", MNT_DETACH), {EPERM, EACCES, ENOSYS});
  ::mkdir("/tmp/p", 0700);
  attack::refused("mask.fresh_proc", ::mount("proc", "/tmp/p", "proc", 0, nullptr), {EPERM, EACCES, ENOSYS});
  attack::refused(
      "mask.fresh_sysfs", ::mount("sysfs", "/tmp/p", "sysfs", 0, nullptr), {EPERM, EACCES, ENOSYS});
  attack::refused(
      "mask.null_device_write", ::rename("/dev/null", "/dev/not_null"), {EPERM, EACCES, EROFS, EBUSY, EXDEV});
}

} // namespace

int main(int argc, char** argv) {
  writes();
  for (const char* name :
       {"kcore", "keys", "key-users", "timer_list", "sched_debug", "kmsg", "latency_stats", "vmallocinfo",
        "slabinfo", "iomem"}) {
    if (std::string(name) == "iomem" || std::string(name) == "key-users") {
      continue; // world readable everywhere and without addresses for those who may not see them
    }
    reads(name, std::string("/proc/") + name);
  }
  for (const char* path :
       {"/dev/mem", "/dev/kmem", "/dev/port", "/dev/kmsg", "/dev/sda", "/dev/vda", "/dev/kvm", "/dev/fuse",
        "/dev/loop-control", "/dev/mapper/control", "/sys/firmware/acpi/tables/DSDT",
        "/sys/kernel/debug/sleep_time"}) {
    reads(path, path);
  }
  password_hashes("shadow", "/etc/shadow");
  password_hashes("gshadow", "/etc/gshadow");
  kernel_addresses();
  for (int i = 1; i < argc; ++i) {
    reads("host_path_" + std::to_string(i), argv[i]);
  }
  masks();
  return attack::done();
}
