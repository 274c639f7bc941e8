// Which projects of a file system are ours: one for each directory that is held to a limit. A project that
// has files is known by the directory that it belongs to; the notes kept here are for taking limits off when
// the files are gone, whoever removed them (project_quota.hpp).
#pragma once

#include "project_quota.hpp"

#include <string>

namespace pyro::os {

/// Far above what administrators, container engines (from 1) and Kubernetes (from 1048577) give out.
constexpr ProjectId k_first_project = 0x70000000;
constexpr ProjectId k_last_project = 0x7fffffff;

class ProjectClaims {
public:
  /// `notes`: a directory of ours on the file system of the directories that are held; made when it is
  /// needed.
  explicit ProjectClaims(std::string notes);

  /// Holds all that will be made in an open, empty directory to the limits: it gets a project that nobody has
  /// and /etc/projid does not name. One that was held before gets its limits anew. nullopt: it has content,
  /// or a project that is not of our making, so that it is not for us to hold. The file system has quotas
  /// (why_no_project_quota()).
  std::optional<ProjectId> hold(int directory, const ProjectLimits& limits) const;

  /// Takes the limits off projects of ours that have no files any more. Costs nothing where there are none.
  void sweep() const;

private:
  ProjectId take(int directory, int notes, const ProjectLimits& limits) const;
  void sweep_locked(int notes) const;

  std::string m_notes;
};

} // namespace pyro::os
