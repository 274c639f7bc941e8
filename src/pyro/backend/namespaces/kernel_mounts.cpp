#include "kernel_mounts.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/hosts_file.hpp>
#include <pyro/os/id_space.hpp>
#include <pyro/os/mount.hpp>
#include <pyro/os/run_skeleton.hpp>

#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

namespace pyro::backend::namespaces {

namespace {

struct Device {
  const char* name;
  unsigned major_number;
  unsigned minor_number;
};

constexpr std::array k_devices{Device{"null", 1, 3},   Device{"zero", 1, 5},    Device{"full", 1, 7},
                               Device{"random", 1, 8}, Device{"urandom", 1, 9}, Device{"tty", 5, 0}};

/// Of the 4096 that all machines have by default; a quarter of them is kept for those outside.
constexpr const char* k_max_terminals = "256";

// Host-wide knobs and memory that no container sees.
constexpr std::array k_masked_files{"proc/kcore",       "proc/keys",        "proc/latency_stats",
                                    "proc/timer_list",  "proc/timer_stats", "proc/sched_debug",
                                    "proc/kallsyms",    "proc/kpagecount",  "proc/kpageflags",
                                    "proc/kpagecgroup", "proc/kmsg"};
constexpr std::array k_masked_directories{
    "proc/acpi", "proc/scsi", "proc/asound", "sys/firmware", "sys/devices/virtual/powercap", "sys/kernel"};
// Whoever has the ids of the agent may write to what it has there (oom_score_adj, autogroup, comm, ...).
constexpr std::array k_read_only{"proc/1",   "proc/bus", "proc/fs",
                                 "proc/irq", "proc/sys", "proc/sysrq-trigger"};

os::Fd clone_device(const Device& device) {
  const auto path = fmt::format("/dev/{}", device.name);
  auto mount = os::clone_mount(AT_FDCWD, path);

  struct stat status {};

  if (::fstat(mount.get(), &status) < 0 || !S_ISCHR(status.st_mode)
      || status.st_rdev != ::makedev(device.major_number, device.minor_number)) {
    throw Error(
        ErrorCode::unavailable, "{} of this machine is not the device {}:{}", path, device.major_number,
        device.minor_number);
  }
  return mount;
}

os::Fd open_root() {
  return os::open_file("/", O_PATH | O_DIRECTORY);
}

/// A directory of the new root; made where it is missing.
os::Fd directory_in(int root, const std::string& path) {
  for (int attempt = 0; attempt < 2; ++attempt) {
    if (auto directory = os::maybe_open_beneath(root, path, O_PATH | O_DIRECTORY)) {
      return std::move(*directory);
    }
    if (::mkdirat(root, path.c_str(), 0755) < 0 && errno != EEXIST) {
      throw Error::from_errno(errno, fmt::format("create /{}", path));
    }
  }
  throw Error(ErrorCode::invalid_argument, "/{} of this environment is no directory", path);
}

void mount_in(
    int root, const std::string& path, const std::string& type, const os::MountOptions& options,
    std::uint64_t attributes) {
  const auto target = directory_in(root, path);
  const auto mount = os::make_mount(type, options, attributes);
  os::attach_mount(mount.get(), target.get());
}

void link_in(int directory, const char* target, const char* name) {
  if (::symlinkat(target, directory, name) < 0) {
    throw Error::from_errno(errno, fmt::format("link /dev/{}", name));
  }
}

void make_dev(int root, const KernelSources& sources) {
  constexpr std::uint64_t k_attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC;
  mount_in(root, "dev", "tmpfs", {{"mode", "0755"}, {"size", "64k"}, {"nr_inodes", "1k"}}, k_attributes);
  const auto dev = directory_in(root, "dev");
  for (const auto& [name, mount] : sources.devices) {
    const auto node = os::open_at(dev.get(), name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, 0666);
    os::attach_mount(mount.get(), node.get());
  }
  link_in(dev.get(), "/proc/self/fd", "fd");
  link_in(dev.get(), "/proc/self/fd/0", "stdin");
  link_in(dev.get(), "/proc/self/fd/1", "stdout");
  link_in(dev.get(), "/proc/self/fd/2", "stderr");
  link_in(dev.get(), "pts/ptmx", "ptmx");
  mount_in(
      root, "dev/pts", "devpts", {{"ptmxmode", "0666"}, {"mode", "0620"}, {"max", k_max_terminals}},
      k_attributes);
  mount_in(
      root, "dev/shm", "tmpfs", {{"mode", "1777"}, {"size", "256m"}, {"nr_inodes", "64k"}},
      k_attributes | MOUNT_ATTR_NODEV);
  mount_in(root, "dev/mqueue", "mqueue", {}, k_attributes | MOUNT_ATTR_NODEV);
}

void make_run(int root) {
  const auto covered = os::maybe_open_beneath(root, "run", O_RDONLY | O_DIRECTORY);
  mount_in(
      root, "run", "tmpfs", {{"mode", "0755"}, {"size", "64m"}, {"nr_inodes", "16k"}},
      MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
  const auto run = *os::maybe_open_beneath(root, "run", O_RDONLY | O_DIRECTORY);
  for (const auto& [name, mode] :
       {std::pair{"lock", 01777U}, std::pair{"secrets", 0711U}, std::pair{"pyro", 0755U}}) {
    if (::mkdirat(run.get(), name, mode) < 0) {
      throw Error::from_errno(errno, fmt::format("create /run/{}", name));
    }
  }
  if (covered) {
    os::copy_run_skeleton(covered->get(), run.get());
  }
}

/// A file of ours in /run/pyro. Where the environment has a regular file of that name in /etc, ours covers
/// it; a missing one or a link is the environment's business.
void cover_in_etc(int root, const std::string& name, std::string_view text, std::uint64_t attributes) {
  const auto ours = directory_in(root, "run/pyro");
  os::write_all(os::open_at(ours.get(), name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, 0644).get(), text);
  if (const auto target = os::maybe_open_beneath(root, "etc/" + name, O_PATH)) {
    const auto mount = os::clone_mount(ours.get(), name);
    if (attributes != 0) {
      os::set_mount_attributes(mount.get(), attributes);
    }
    os::attach_mount(mount.get(), target->get());
  }
}

void mask(int root) {
  for (const char* path : k_masked_files) {
    if (const auto target = os::maybe_open_beneath(root, path, O_PATH)) {
      const auto copy = os::clone_mount(root, "dev/null");
      os::attach_mount(copy.get(), target->get());
    }
  }
  for (const char* path : k_masked_directories) {
    if (const auto target = os::maybe_open_beneath(root, path, O_PATH | O_DIRECTORY)) {
      const auto empty =
          os::make_mount("tmpfs", {{"mode", "0555"}, {"size", "4k"}}, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID);
      os::attach_mount(empty.get(), target->get());
    }
  }
  for (const char* path : k_read_only) {
    if (const auto target = os::maybe_open_beneath(root, path, O_PATH)) {
      const auto copy = os::clone_mount(target->get(), "");
      os::set_mount_attributes(
          copy.get(), MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
      os::attach_mount(copy.get(), target->get());
    }
  }
}

/// What the kernel lets this user namespace have. Nested ones are the door to most holes that need
/// capabilities. As root the rest is counted for the sandbox alone (os::SandboxIds); what an ordinary user's
/// sandbox takes is missing to the user, so that each of its ids may take half.
void limit_kernel_objects(int root) {
  const auto directory = os::maybe_open_beneath(root, "proc/sys/user", O_PATH | O_DIRECTORY);
  if (!directory) {
    return;
  }
  const auto limit = [&](const std::string& name, std::int64_t value) {
    if (const auto file = os::maybe_open_beneath(directory->get(), name, O_WRONLY)) {
      os::write_all(file->get(), std::to_string(value));
    }
  };
  limit("max_user_namespaces", 0);
  if (os::IdSpace::current().kind() == os::IdSpace::Kind::shifted) {
    return;
  }
  // The namespace's own numbers begin without a bound; these are what each user of the machine may have.
  constexpr std::array<std::pair<const char*, const char*>, 4> k_of_user{
      {{"max_inotify_instances", "proc/sys/fs/inotify/max_user_instances"},
       {"max_inotify_watches", "proc/sys/fs/inotify/max_user_watches"},
       {"max_fanotify_groups", "proc/sys/fs/fanotify/max_user_groups"},
       {"max_fanotify_marks", "proc/sys/fs/fanotify/max_user_marks"}}};
  for (const auto& [name, of_user] : k_of_user) {
    if (const auto file = os::maybe_open_beneath(root, of_user, O_RDONLY)) {
      const auto most = std::strtoll(os::read_all(file->get(), 64).c_str(), nullptr, 10);
      limit(name, std::max(most / 2, 1LL));
    }
  }
}

} // namespace

KernelSources::KernelSources() {
  for (const auto& device : k_devices) {
    devices.emplace_back(device.name, clone_device(device));
  }
}

std::vector<std::string> mount_kernel_files(
    const KernelSources& sources, const std::optional<std::string>& resolv_conf,
    const std::string& machine_id, const std::string& hostname) {
  std::vector<std::string> notes;
  const auto root = open_root();
  constexpr std::uint64_t k_quiet = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  mount_in(root.get(), "proc", "proc", {}, k_quiet);
  try {
    mount_in(root.get(), "sys", "sysfs", {}, k_quiet | MOUNT_ATTR_RDONLY);
  } catch (const Error& error) {
    notes.push_back(fmt::format("no /sys inside: {}", error.what()));
  }
  make_dev(root.get(), sources);
  make_run(root.get());
  if (resolv_conf) {
    cover_in_etc(root.get(), "resolv.conf", *resolv_conf, 0);
  }
  if (!machine_id.empty()) {
    cover_in_etc(root.get(), "machine-id", machine_id + "\n", MOUNT_ATTR_RDONLY);
  }
  const auto hosts = hostname == os::k_step_hostname ? std::nullopt : os::maybe_read_hosts(root.get());
  if (hosts) {
    cover_in_etc(root.get(), "hosts", os::hosts_with_name(*hosts, hostname), 0);
  }
  limit_kernel_objects(root.get());
  mask(root.get());
  return notes;
}

} // namespace pyro::backend::namespaces
