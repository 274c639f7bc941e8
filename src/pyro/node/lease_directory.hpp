// Where a lease keeps everything on its node: /tmp/pyro-UID-JOB, on the node's own disk and nobody else's.
#pragma once

#include <string>

namespace pyro::node {

struct LeaseDirectory {
  std::string path;

  std::string lock() const { return path + "/lock"; }

  std::string socket() const { return path + "/socket"; }

  std::string base() const { return path + "/home"; }

  std::string cache() const { return path + "/cache"; }
};

/// Of the job that we are in (SLURM_JOB_ID). Error(usage) outside of one.
LeaseDirectory lease_directory();

/// Throws Error(permission) where it is not a directory that is ours alone.
void check_is_ours(const LeaseDirectory& directory);

} // namespace pyro::node
