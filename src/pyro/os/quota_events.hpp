// The kernel's word that a writer was refused by the quota of its project, at the moment when it happens
// (generic netlink, family VFS_DQUOT).
#pragma once

#include "fd.hpp"
#include "project_quota.hpp"

#include <sys/types.h>

#include <optional>

namespace pyro::os {

struct Refusals {
  bool bytes = false;
  bool entries = false;
};

class QuotaEvents {
public:
  /// nullopt: this kernel tells nobody, or not in this network namespace.
  static std::optional<QuotaEvents> listen();

  /// What came since the last time, of this project of the file system on `device` (st_dev). What waits is
  /// bounded: where other projects are refused very often, something may be missing.
  Refusals take(dev_t device, ProjectId project);

private:
  QuotaEvents(Fd socket, std::uint16_t family) : m_socket(std::move(socket)), m_family(family) {}

  Fd m_socket;
  std::uint16_t m_family;
};

} // namespace pyro::os
