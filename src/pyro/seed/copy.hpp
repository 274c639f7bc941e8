// Copies a scanned seed, all or part of it, into a layer's staging tree; reads each file once, for the copy
// and its digest.
#pragma once

#include "scan.hpp"

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace pyro::seed {

struct SeedPlacement {
  std::string to = "workspace"; // relative to the destination; "" is the destination itself
  std::optional<uid_t> uid;     // nullopt: whoever runs this
  std::optional<gid_t> gid;
  std::optional<std::vector<std::string>>
      only;                           // these paths (sorted or not), with the directories above them
  std::vector<std::string> whiteouts; // deleted paths, as overlayfs whiteouts
  unsigned threads = 2;
};

struct SeedCopyReport {
  std::uint64_t files = 0;
  std::uint64_t directories = 0;
  std::uint64_t symlinks = 0;
  std::uint64_t hardlinks = 0;
  std::uint64_t whiteouts = 0;
  std::uint64_t bytes = 0;
  std::uint64_t reflinked = 0;       // files
  std::vector<std::string> restless; // grew since the scan: copied as they were then
  std::vector<std::string> changed;  // are not what was scanned: then nothing of the copy is of use
};

/// `destination` is an existing directory in which nobody else works and where `to` does not exist yet.
/// Digests that the scan did not know are filled in. Where files are not what was scanned (`changed`), the
/// caller scans again, with these as restless ones. Error(disk_full) names the file. What was written stays
/// for the caller to remove.
SeedCopyReport materialise(SeedScan& scan, const std::string& destination, const SeedPlacement& placement);

/// changed and deleted of a delta as a placement's `only` and `whiteouts`.
SeedPlacement placement_of(const SeedDelta& delta, SeedPlacement placement);

/// Digest of a file's content by its path in the copy ("workspace/src/a.ts"), for LayerStore::publish.
std::function<std::optional<HexDigest>(std::string_view path)>
known_content_of(const SeedScan& scan, const SeedPlacement& placement);

} // namespace pyro::seed
