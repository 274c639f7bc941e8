// The environment `host`: this machine's programs, live and read-only, under one layer that we make. The
// layer holds the top-level skeleton, copies of /etc and of parts of /var without anything that is not
// public, and what hides private names below the live directories.
#pragma once

#include "cache.hpp"
#include "tree.hpp"

#include <pyro/base/json_access.hpp>
#include <pyro/base/sha256.hpp>
#include <pyro/os/id_space.hpp>

#include <map>
#include <string>
#include <vector>

namespace pyro::environment {

/// What of this machine a sandbox may see.
struct Host {
  std::string root;                            // "" for this machine's own
  std::vector<std::string> directories;        // live ones, relative to the root: "usr", "opt"
  std::map<std::string, std::string> symlinks; // "bin" -> "usr/bin"
  std::vector<std::string> masked;             // ours, below the directories: "opt/pyro"
  os::IdSpace::Kind id_space = os::IdSpace::Kind::shifted;
};

/// `private_paths` are absolute; those below live directories are masked. Error(unavailable) where this
/// machine's /usr cannot be used.
Host observe_host(const std::vector<std::string>& private_paths, const std::string& root = "");

/// Over the distribution, its package database (read again only when it changed), the layout and the id
/// space.
HexDigest host_fingerprint(const Host& host, const EnvironmentCache& cache);

/// Everything the layer holds.
PlannedTree plan_host_layer(const Host& host);

/// For `pyro env inspect`.
Json host_details(const Host& host, const PlannedTree& plan);

/// Skeleton, /etc, /var (host_files.cpp).
void plan_host_files(PlannedTree& plan, const Host& host);

/// What must lie over the live directories (host_scan.cpp): masks, which keep out of sight what
/// could not be read anyway (docs/decisions/0036); and for an ordinary user, to whom their owners do not
/// exist, every directory, so that it can be written inside.
void plan_host_masks(PlannedTree& plan, const Host& host);

} // namespace pyro::environment
