#include "disk_quota.hpp"

#include <pyro/base/error.hpp>

#include <sys/stat.h>

#include <cerrno>

namespace pyro::supervisor {

namespace {

/// Who is refused has come to within one block of the limit; blocks of file systems are no larger than this.
constexpr std::uint64_t k_largest_block = 64 << 10;

} // namespace

DiskQuota::DiskQuota(int directory, os::ProjectId project)
    : m_directory(directory), m_project(project), m_events(os::QuotaEvents::listen()) {
  struct stat status {};

  if (::fstat(directory, &status) < 0) {
    throw Error::from_errno(errno, "stat the directory that is held to a quota");
  }
  m_device = status.st_dev;
}

void DiskQuota::set_limits(const DiskLimits& limits) {
  os::set_project_limits(m_directory, m_project, {limits.bytes, limits.entries});
}

os::ProjectUse DiskQuota::use() const {
  return os::use_of_project(m_directory, m_project);
}

std::optional<DiskQuota::Refused> DiskQuota::refused(const os::ProjectUse& now) {
  const auto events = m_events ? m_events->take(m_device, m_project) : os::Refusals{};
  if (events.bytes || now.bytes + k_largest_block > now.limits.bytes) {
    return Refused::bytes;
  }
  if (events.entries || now.entries >= now.limits.entries) {
    return Refused::entries;
  }
  return std::nullopt;
}

} // namespace pyro::supervisor
