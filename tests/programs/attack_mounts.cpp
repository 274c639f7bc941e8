// B. Mounts, roots, device nodes, extended attributes.
#include "attack.hpp"

#include <linux/mount.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <fcntl.h>
#include <sched.h>
#include <string>
#include <unistd.h>

namespace {

void mounts() {
  ::mkdir("/tmp/m", 0700);
  ::mkdir("/tmp/m/old", 0700);
  attack::refused("mount.tmpfs", ::mount("tmpfs", "/tmp/m", "tmpfs", 0, nullptr), {EPERM, EACCES, ENOSYS});
  attack::refused("mount.bind", ::mount("/", "/tmp/m", nullptr, MS_BIND, nullptr), {EPERM, EACCES, ENOSYS});
  attack::refused(
      "mount.remount_proc_sys_rw", ::mount(nullptr, "/proc/sys", nullptr, MS_REMOUNT | MS_BIND, nullptr),
      {EPERM, EACCES, ENOSYS});
  attack::refused(
      "mount.remount_sys_rw", ::mount(nullptr, "/sys", nullptr, MS_REMOUNT | MS_BIND, nullptr),
      {EPERM, EACCES, ENOSYS});
  attack::refused(
      "mount.shared", ::mount(nullptr, "/", nullptr, MS_SHARED | MS_REC, nullptr), {EPERM, EACCES, ENOSYS});
  attack::refused(
      "mount.overlay", ::mount("overlay", "/tmp/m", "overlay", 0, "lowerdir=/usr:/etc,userxattr"),
      {EPERM, EACCES, ENOSYS});
  attack::refused("umount.root", ::umount2("/", MNT_DETACH), {EPERM, EACCES, ENOSYS});
  attack::refused("umount.dev", ::umount2("/dev", MNT_DETACH), {EPERM, EACCES, ENOSYS});
  attack::refused(
      "mount.open_tree", ::syscall(SYS_open_tree, AT_FDCWD, "/", 1 | O_CLOEXEC), {EPERM, EACCES, ENOSYS});
  attack::refused("mount.fsopen", ::syscall(SYS_fsopen, "tmpfs", 1), {EPERM, EACCES, ENOSYS});
  attack::refused(
      "mount.move_mount", ::syscall(SYS_move_mount, AT_FDCWD, "/proc", AT_FDCWD, "/tmp/m", 0),
      {EPERM, EACCES, ENOSYS});

  struct {
    unsigned long long set, clear, propagation, userns;
  } attributes{0, 1 /* MOUNT_ATTR_RDONLY */, 0, 0};

  attack::refused(
      "mount.setattr", ::syscall(SYS_mount_setattr, AT_FDCWD, "/proc/sys", 0, &attributes, sizeof attributes),
      {EPERM, EACCES, ENOSYS});
  attack::refused("pivot_root", ::syscall(SYS_pivot_root, "/tmp/m", "/tmp/m/old"), {EPERM, EACCES, ENOSYS});
}

/// The classic way out of a chroot: keep a directory outside of the new root, and climb from there.
void chroot_escape() {
  struct stat before {
  }, after{};

  const int outside = ::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  ::mkdir("/tmp/jail", 0700);
  if (outside < 0 || ::stat("/", &before) != 0) {
    attack::missing("chroot.escape", attack::error_name(errno));
    return;
  }
  if (::chroot("/tmp/jail") != 0) {
    attack::refused("chroot.escape", -1, {EPERM, EACCES, ENOSYS});
    ::close(outside);
    return;
  }
  bool climbed = ::fchdir(outside) == 0;
  for (int i = 0; i < 64; ++i) {
    climbed = ::chdir("..") == 0 && climbed;
  }
  climbed = ::stat(".", &after) == 0 && climbed;
  attack::holds(
      "chroot.escape", climbed && after.st_ino == before.st_ino && after.st_dev == before.st_dev,
      "climbing ends at the sandbox's root");
  if (::chroot(".") != 0) {
    attack::missing("chroot.back", attack::error_name(errno));
  }
  ::close(outside);
}

void nodes() {
  attack::refused("mknod.mem", ::mknod("/tmp/mem", S_IFCHR | 0666, makedev(1, 1)), {EPERM, EACCES});
  attack::refused("mknod.kmsg", ::mknod("/workspace/kmsg", S_IFCHR | 0666, makedev(1, 11)), {EPERM, EACCES});
  attack::refused("mknod.disk", ::mknod("/tmp/disk", S_IFBLK | 0666, makedev(254, 0)), {EPERM, EACCES});
  attack::refused(
      "mknod.disk_in_dev", ::mknod("/dev/disk0", S_IFBLK | 0666, makedev(8, 0)), {EPERM, EACCES, EROFS});
  // On an overlay a character device 0:0 would forge a deletion.
  attack::refused("mknod.whiteout", ::mknod("/workspace/whiteout", S_IFCHR, makedev(0, 0)), {EPERM, EACCES});
}

void attributes() {
  const int file = ::open("/workspace/attributes", O_CREAT | O_RDWR | O_CLOEXEC, 0600);
  for (const char* name :
       {"trusted.overlay.opaque", "trusted.overlay.redirect", "trusted.overlay.metacopy", "trusted.x"}) {
    attack::refused(
        std::string("xattr.") + name, ::fsetxattr(file, name, "y", 1, 0), {EPERM, EACCES, EOPNOTSUPP});
  }
  ::close(file);
  const bool no_new_privileges = ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
  attack::holds("privileges.no_new", no_new_privileges, "no_new_privs");
  for (const char* path : {"/tmp", "/dev/shm", "/workspace"}) {
    struct statvfs flags {};

    if (::statvfs(path, &flags) != 0) {
      attack::missing(std::string("nosuid.") + path, attack::error_name(errno));
    } else {
      attack::holds(
          std::string("nosuid.") + path, (flags.f_flag & ST_NOSUID) != 0 || no_new_privileges,
          (flags.f_flag & ST_NOSUID) != 0 ? "nosuid" : "no_new_privs");
    }
  }
}

} // namespace

int main() {
  mounts();
  nodes();
  attributes();
  chroot_escape();
  return attack::done();
}
