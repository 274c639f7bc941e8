// A sandbox whose files belong to a project of the file system: the kernel refuses what is beyond the limit
// (docs/decisions/0044), and here is known what it uses and whether somebody was refused. Without such a
// project: disk_watch.hpp.
#pragma once

#include "disk_policy.hpp"

#include <pyro/base/json_access.hpp>
#include <pyro/os/project_quota.hpp>
#include <pyro/os/quota_events.hpp>

#include <functional>
#include <optional>
#include <string>

namespace pyro::supervisor {

class DiskQuota {
public:
  enum class Refused { bytes, entries };

  /// `directory`: any of the file system; it is open as long as this lives.
  DiskQuota(int directory, os::ProjectId project);

  void set_limits(const DiskLimits& limits);
  os::ProjectUse use() const;

  /// `now` is use(). Was a writer refused since this was last asked? As long as it is full: yes. Where the
  /// kernel does not say when it refuses, who came to the limit and deleted at once is not known.
  std::optional<Refused> refused(const os::ProjectUse& now);

private:
  int m_directory;
  os::ProjectId m_project;
  dev_t m_device = 0;
  std::optional<os::QuotaEvents> m_events;
};

} // namespace pyro::supervisor
