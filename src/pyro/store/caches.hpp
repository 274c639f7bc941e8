// Directories that steps keep between builds (`cache` in pyro.yaml). Each belongs to one checkout, or to all
// files on this machine that say so; no two checkouts see each other's.
#pragma once

#include "layout.hpp"

#include <optional>
#include <set>
#include <string>
#include <vector>

namespace pyro::store {

struct CacheKey {
  /// The directory of the file whose cache it is; empty: of all files that share it.
  std::string checkout;
  std::string image;  // as the file names it: what one system keeps means nothing to another
  std::string target; // where it appears inside
};

/// Where the cache lies. Its owner's folder is made, 0700; the directory itself is left to the caller, who
/// knows whose ids it needs. The caller holds the store's shared lock while it is in use.
std::string cache_directory(const Base& base, const CacheKey& key);

struct StaleCache {
  std::string path;
  std::string name; // below caches()
  std::string reason;
};

/// Those of checkouts that are gone, and what other versions of pyro or killed processes left. With the
/// store's exclusive lock nobody uses them.
/// With `needed_by` also those of all other checkouts, and the machine's where there is none.
std::vector<StaleCache>
stale_caches(const Base& base, const std::optional<std::set<std::string>>& needed_by = {});

} // namespace pyro::store
