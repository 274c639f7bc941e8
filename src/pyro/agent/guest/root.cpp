#include "root.hpp"

#include "disks.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/mount.hpp>
#include <pyro/os/run_skeleton.hpp>

#include <sys/mount.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

namespace pyro::agent {

namespace {

bool is_real_directory(const std::string& path) {
  struct stat status {};

  return ::lstat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

/// lowerdir= of one part, topmost first.
std::string lower_directories(std::size_t layers, const std::string& part) {
  std::string lower;
  const auto add = [&](const std::string& path) {
    lower += (lower.empty() ? "" : ":") + path;
  };
  for (std::size_t index = layers; index-- > 0;) {
    const auto layer = std::to_string(index);
    if (part == "root") {
      add(layer);
    } else if (is_real_directory(layer + "/" + part)) {
      add(layer + "/" + part);
    }
  }
  if (part != "root") {
    add("../parts/" + part);
  }
  return lower;
}

/// A new upper directory shows as the root of its part, so it takes the look of the directory it covers.
void prepare_upper(const std::string& upper, const std::string& work, const std::string& lowest) {
  const bool is_new = !is_real_directory(upper);
  os::make_directories(upper, 0755);
  os::make_directories(work, 0700);

  struct stat status {};

  if (is_new && ::stat(lowest.c_str(), &status) == 0 && ::chmod(upper.c_str(), status.st_mode & 07777) < 0) {
    throw Error::from_errno(errno, "chmod a new upper directory");
  }
}

void mount_part(std::size_t layers, const std::string& part) {
  const auto lower = lower_directories(layers, part);
  const auto upper = fmt::format("{}/gen/{}/upper", guest_path::k_scratch, part);
  const auto work = fmt::format("{}/work/{}", guest_path::k_scratch, part);
  prepare_upper(upper, work, lower.substr(0, lower.find(':')));
  const auto data =
      fmt::format("lowerdir={},upperdir={},workdir={},userxattr,index=off,metacopy=off", lower, upper, work);
  if (part == "root") {
    os::make_directories(guest_path::k_root, 0755);
    os::mount_at("pyro", guest_path::k_root, "overlay", MS_NODEV, data);
    return;
  }
  // The mount point comes from a layer: it must be a directory of the root, not a symlink.
  const auto root = os::open_file(guest_path::k_root, O_PATH | O_DIRECTORY);
  const auto target = os::maybe_open_beneath(root.get(), part, O_PATH | O_DIRECTORY);
  if (!target) {
    throw Error(ErrorCode::invalid_argument, "the environment has no directory /{} to mount on", part);
  }
  os::mount_at("pyro", fmt::format("/proc/self/fd/{}", target->get()), "overlay", MS_NODEV, data);
}

void make_mount_point(const char* path) {
  if (::mkdir(path, 0755) < 0 && errno != EEXIST) {
    throw Error::from_errno(errno, fmt::format("create {}", path));
  }
  if (!is_real_directory(path)) {
    throw Error(ErrorCode::invalid_argument, "{} of this environment is no directory", path);
  }
}

void mount_new(const char* path, const char* type, unsigned long flags, const char* data) {
  make_mount_point(path);
  os::mount_at(type, path, type, flags, data);
}

void link_in_dev(const char* target, const char* path) {
  if (::symlink(target, path) < 0 && errno != EEXIST) {
    throw Error::from_errno(errno, fmt::format("link {}", path));
  }
}

} // namespace

os::Fd enter_guest_root(const protocol::GuestMount& mount) {
  // Short names keep the options of a mount with many layers within the one page that mount(2) takes.
  if (::chdir(guest_path::k_layers) < 0) {
    throw Error::from_errno(errno, "enter the layers");
  }
  mount_part(mount.layers.size(), "root");
  for (const auto& part : mount.parts) {
    mount_part(mount.layers.size(), part.name);
  }
  auto uppers = os::open_file(fmt::format("{}/gen", guest_path::k_scratch), O_RDONLY | O_DIRECTORY);
  if (::chdir(guest_path::k_root) < 0 || ::mount(".", "/", nullptr, MS_MOVE, nullptr) < 0 || ::chroot(".") < 0
      || ::chdir("/") < 0) {
    throw Error::from_errno(errno, "enter the root of the workspace");
  }
  return uppers;
}

void mount_kernel_files() {
  constexpr unsigned long k_quiet = MS_NOSUID | MS_NODEV | MS_NOEXEC;
  mount_new("/proc", "proc", k_quiet, "");
  mount_new("/sys", "sysfs", k_quiet, "");
  mount_new("/dev", "devtmpfs", MS_NOSUID | MS_NOEXEC, "mode=0755");
  mount_new("/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "ptmxmode=0666,mode=0620");
  mount_new("/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=1777");
  mount_new("/dev/mqueue", "mqueue", k_quiet, "");
  link_in_dev("/proc/self/fd", "/dev/fd");
  link_in_dev("/proc/self/fd/0", "/dev/stdin");
  link_in_dev("/proc/self/fd/1", "/dev/stdout");
  link_in_dev("/proc/self/fd/2", "/dev/stderr");
  std::ignore = ::unlink("/dev/ptmx");
  link_in_dev("pts/ptmx", "/dev/ptmx");
  const auto covered = os::maybe_open("/run", O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  mount_new("/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,size=64m");
  for (const auto& [name, mode] :
       {std::pair{"/run/lock", 01777U}, std::pair{"/run/secrets", 0711U}, std::pair{"/run/pyro", 0755U}}) {
    if (::mkdir(name, mode) < 0 || ::chmod(name, mode) < 0) {
      throw Error::from_errno(errno, fmt::format("create {}", name));
    }
  }
  if (covered) {
    const auto run = os::open_file("/run", O_RDONLY | O_DIRECTORY);
    os::copy_run_skeleton(covered->get(), run.get());
  }
}

} // namespace pyro::agent
