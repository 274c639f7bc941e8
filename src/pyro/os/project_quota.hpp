// Quotas of projects (quotactl(2), PRJQUOTA): what a directory and all that is made in it may take of its
// file system, held by the kernel at every write. Which projects are pyro's own: project_claims.hpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace pyro::os {

using ProjectId = std::uint32_t; // 0: what belongs to no project

struct ProjectLimits {
  std::uint64_t bytes = 0;   // 0: none; the kernel keeps it in KiB
  std::uint64_t entries = 0; // 0: none
};

struct ProjectUse {
  std::uint64_t bytes = 0;
  std::uint64_t entries = 0;
  ProjectLimits limits;

  /// Nothing belongs to it, and nothing is said of it.
  bool is_unknown() const { return is_empty() && limits.bytes == 0 && limits.entries == 0; }

  bool is_empty() const { return bytes == 0 && entries == 0; }
};

/// Why nothing in this open directory can be held by a quota of its project: the file system knows none, has
/// them not switched on or not enforced, or we may not set them. Empty: it can be held.
std::string why_no_project_quota(int directory);
/// The same without the question who we are.
std::string why_no_project_quota_for_root(int directory);

/// The project of an open directory whose new entries belong to it too; nullopt: of none.
std::optional<ProjectId> project_of(int directory);

/// What is made in the directory from now on belongs to the project, as the directory itself. What is in
/// there already does not: it should be empty. Files are renamed and linked into it from the same project
/// only (EXDEV).
void set_project(int directory, ProjectId project);

/// `directory`: any open one of the file system.
ProjectUse use_of_project(int directory, ProjectId project);
void set_project_limits(int directory, ProjectId project, const ProjectLimits& limits);

} // namespace pyro::os
