#include "project_quota.hpp"

#include <pyro/base/error.hpp>

#include <linux/dqblk_xfs.h>
#include <linux/fs.h>
#include <linux/quota.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include <cerrno>
#include <unistd.h>

namespace pyro::os {

namespace {

constexpr std::uint64_t k_limit_unit = 1024; // QIF_DQBLKSIZE

/// quotactl_fd(2): by a directory instead of the block device, which may have no name here. Linux >= 5.14.
int project_quotactl(int directory, unsigned command, ProjectId project, void* argument) {
  return static_cast<int>(::syscall(SYS_quotactl_fd, directory, QCMD(command, PRJQUOTA), project, argument));
}

std::uint64_t rounded_up(std::uint64_t bytes) {
  return bytes / k_limit_unit + (bytes % k_limit_unit != 0 ? 1 : 0);
}

} // namespace

std::string why_no_project_quota_for_root(int directory) {
  fs_quota_statv state{};
  state.qs_version = FS_QSTATV_VERSION1;
  if (project_quotactl(directory, Q_XGETQSTATV, 0, &state) < 0) {
    switch (errno) {
    case ENOSYS: // what of these it is the kernel does not tell
      return "no quotas are switched on for this file system, or it or this kernel knows none";
    case EINVAL:
    case EOPNOTSUPP:
      return "this file system has no quotas of projects";
    default: // a container's filter, say
      return Error::from_errno(errno, "asking for the quotas of this file system").what();
    }
  }
  if ((state.qs_flags & FS_QUOTA_PDQ_ACCT) == 0) {
    return "quotas of projects are not switched on for this file system (mount option prjquota)";
  }
  if ((state.qs_flags & FS_QUOTA_PDQ_ENFD) == 0) {
    return "this file system counts what projects use, but holds none to a limit";
  }
  return "";
}

std::string why_no_project_quota(int directory) {
  auto reason = why_no_project_quota_for_root(directory);
  if (!reason.empty()) {
    return reason;
  }
  if_dqblk block{};
  if (project_quotactl(directory, Q_GETQUOTA, 0, &block) < 0 && errno == EPERM) {
    return "only root of this machine may set quotas of projects";
  }
  return "";
}

std::optional<ProjectId> project_of(int directory) {
  fsxattr attributes{};
  if (::ioctl(directory, FS_IOC_FSGETXATTR, &attributes) < 0) {
    if (errno == ENOTTY || errno == EOPNOTSUPP || errno == EINVAL) {
      return std::nullopt;
    }
    throw Error::from_errno(errno, "ask for the project of a directory");
  }
  const bool is_inherited = (attributes.fsx_xflags & FS_XFLAG_PROJINHERIT) != 0;
  return is_inherited && attributes.fsx_projid != 0 ? std::optional(attributes.fsx_projid) : std::nullopt;
}

void set_project(int directory, ProjectId project) {
  fsxattr attributes{};
  if (::ioctl(directory, FS_IOC_FSGETXATTR, &attributes) < 0) {
    throw Error::from_errno(errno, "ask for the project of a directory");
  }
  attributes.fsx_projid = project;
  attributes.fsx_xflags |= FS_XFLAG_PROJINHERIT;
  if (::ioctl(directory, FS_IOC_FSSETXATTR, &attributes) < 0) {
    throw Error::from_errno(errno, "give a directory to a project");
  }
}

ProjectUse use_of_project(int directory, ProjectId project) {
  if_dqblk block{};
  if (project_quotactl(directory, Q_GETQUOTA, project, &block) < 0) {
    if (errno == ENOENT) {
      return {}; // XFS: nothing was ever said of it
    }
    throw Error::from_errno(errno, "ask for what a project uses");
  }
  return {
      block.dqb_curspace, block.dqb_curinodes, {block.dqb_bhardlimit * k_limit_unit, block.dqb_ihardlimit}};
}

void set_project_limits(int directory, ProjectId project, const ProjectLimits& limits) {
  if_dqblk block{};
  block.dqb_valid = QIF_LIMITS;
  block.dqb_bhardlimit = rounded_up(limits.bytes);
  block.dqb_ihardlimit = limits.entries;
  if (project_quotactl(directory, Q_SETQUOTA, project, &block) < 0) {
    throw Error::from_errno(errno, "set the limits of a project");
  }
}

} // namespace pyro::os
