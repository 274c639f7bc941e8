#include "mount.hpp"

#include <pyro/base/error.hpp>

#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

namespace pyro::os {

namespace {

struct FsContext {
  Fd fd;
  std::string type;

  // The kernel explains failures in the context's own log.
  [[noreturn]] void fail(int error_number, const std::string& what) const {
    std::array<char, 512> text{};
    const auto count = ::read(fd.get(), text.data(), text.size() - 1);
    auto error = Error::from_errno(error_number, fmt::format("mount {}: {}", type, what));
    if (count > 0) {
      error.add_context(fmt::format("kernel: {}", std::string(text.data(), static_cast<std::size_t>(count))));
    }
    throw error;
  }
};

} // namespace

Fd clone_mount(int directory, const std::string& path) {
  const unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW
                         | (path.empty() ? static_cast<unsigned>(AT_EMPTY_PATH) : 0U);
  const int fd = ::open_tree(directory, path.c_str(), flags);
  if (fd < 0) {
    throw Error::from_errno(errno, fmt::format("open_tree {}", path));
  }
  return Fd(fd);
}

bool map_ids(int mount, int user_namespace) {
  mount_attr attributes{};
  attributes.attr_set = MOUNT_ATTR_IDMAP;
  attributes.userns_fd = static_cast<std::uint64_t>(user_namespace);
  if (::mount_setattr(mount, "", AT_EMPTY_PATH, &attributes, sizeof(attributes)) == 0) {
    return true;
  }
  if (errno == EINVAL || errno == ENOSYS || errno == EPERM) {
    return false;
  }
  throw Error::from_errno(errno, "mount_setattr(IDMAP)");
}

std::optional<Fd> clone_mount_idmapped(const std::string& path, int user_namespace) {
  auto mount = clone_mount(AT_FDCWD, path);
  return map_ids(mount.get(), user_namespace) ? std::optional(std::move(mount)) : std::nullopt;
}

Fd make_mount(const std::string& type, const MountOptions& options, std::uint64_t attributes) {
  FsContext context{Fd(::fsopen(type.c_str(), FSOPEN_CLOEXEC)), type};
  if (!context.fd) {
    throw Error::from_errno(errno, fmt::format("fsopen {}", type));
  }
  for (const auto& [name, value] : options) {
    const int result =
        value.empty() ? ::fsconfig(context.fd.get(), FSCONFIG_SET_FLAG, name.c_str(), nullptr, 0)
                      : ::fsconfig(context.fd.get(), FSCONFIG_SET_STRING, name.c_str(), value.c_str(), 0);
    if (result < 0) {
      context.fail(errno, fmt::format("option {}={}", name, value));
    }
  }
  if (::fsconfig(context.fd.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) < 0) {
    context.fail(errno, "create");
  }
  Fd mount(::fsmount(context.fd.get(), FSMOUNT_CLOEXEC, static_cast<unsigned>(attributes)));
  if (!mount) {
    context.fail(errno, "fsmount");
  }
  return mount;
}

void attach_mount(int mount, int target) {
  if (::move_mount(mount, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0) {
    throw Error::from_errno(errno, "move_mount");
  }
}

void attach_mount(int mount, const std::string& target) {
  if (::move_mount(mount, "", AT_FDCWD, target.c_str(), MOVE_MOUNT_F_EMPTY_PATH) < 0) {
    throw Error::from_errno(errno, fmt::format("move_mount to {}", target));
  }
}

void set_mount_attributes(int mount, std::uint64_t attributes) {
  mount_attr change{};
  change.attr_set = attributes;
  if (::mount_setattr(mount, "", AT_EMPTY_PATH, &change, sizeof(change)) < 0) {
    throw Error::from_errno(errno, "mount_setattr");
  }
}

void mount_at(
    const std::string& source, const std::string& target, const std::string& type, unsigned long flags,
    const std::string& data) {
  if (::mount(source.c_str(), target.c_str(), type.c_str(), flags, data.c_str()) < 0) {
    throw Error::from_errno(errno, fmt::format("mount {} at {} ({})", type, target, data));
  }
}

bool lies_on_overlay(const std::string& path) {
  struct statfs status {};

  return ::statfs(path.c_str(), &status) == 0 && status.f_type == OVERLAYFS_SUPER_MAGIC;
}

void make_all_mounts_private() {
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) < 0) {
    throw Error::from_errno(errno, "make mounts private");
  }
}

void pivot_root_here() {
  if (::syscall(SYS_pivot_root, ".", ".") < 0) {
    throw Error::from_errno(errno, "pivot_root");
  }
}

void detach_old_root() {
  if (::umount2(".", MNT_DETACH) < 0) {
    throw Error::from_errno(errno, "detach the old root");
  }
  if (::chdir("/") < 0) {
    throw Error::from_errno(errno, "chdir /");
  }
}

} // namespace pyro::os
