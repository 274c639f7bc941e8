#include "jail.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/os/mount.hpp>

#include <sys/mount.h>
#include <sys/stat.h>

#include <cerrno>
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

namespace pyro::backend::firecracker {

namespace {

void require_readable(const struct stat& status, const std::string& path) {
  if (!S_ISREG(status.st_mode) || (status.st_mode & S_IROTH) == 0) {
    throw Error(
        ErrorCode::permission, "{} must be a file that everybody may read, as Firecracker is nobody", path);
  }
}

} // namespace

Jail::Jail(JailerOptions options) : m_options(std::move(options)) {
  std::ignore = jailer_arguments(m_options); // complains of what cannot be
  if (::unshare(CLONE_NEWNS) < 0) {
    throw Error::from_errno(errno, "unshare(CLONE_NEWNS)").with_hint("jails are for root");
  }
  os::make_all_mounts_private();
  // Devices, programs and owners have to work in there, which a disk's mount may not allow.
  const auto memory = os::make_mount("tmpfs", {{"mode", "0755"}, {"size", "64m"}}, 0);
  os::attach_mount(memory.get(), m_options.chroot_base_dir);
  os::make_directories(jail_root(m_options), 0755);
}

Jail::~Jail() {
  ::umount2(m_options.chroot_base_dir.c_str(), MNT_DETACH);
}

std::string Jail::show(const std::string& path, const std::string& name, DriveAccess access) {
  if (name.empty() || name.find('/') != std::string::npos) {
    throw Error(ErrorCode::internal, "'{}' is no name in a jail", name);
  }
  const auto mount = os::clone_mount(AT_FDCWD, path);

  struct stat status {};

  if (::fstat(mount.get(), &status) < 0) {
    throw Error::from_errno(errno, "stat " + path);
  }
  if (access == DriveAccess::read_only) {
    require_readable(status, path);
  } else if (
      !S_ISREG(status.st_mode)
      || ::fchownat(mount.get(), "", m_options.uid, m_options.gid, AT_EMPTY_PATH) < 0) {
    throw Error::from_errno(S_ISREG(status.st_mode) ? errno : EINVAL, "give away " + path);
  }
  os::set_mount_attributes(
      mount.get(),
      MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | (access == DriveAccess::read_only ? MOUNT_ATTR_RDONLY : 0));
  auto inside = "/" + name;
  const auto target = path_on_host(m_options, inside);
  os::open_file(target, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, 0444).reset();
  os::attach_mount(mount.get(), target);
  return inside;
}

} // namespace pyro::backend::firecracker
