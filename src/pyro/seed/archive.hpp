// An archive file as a seed: identified by the digest of its bytes, unpacked when it is needed.
#pragma once

#include "copy.hpp"

#include <pyro/base/sha256.hpp>
#include <pyro/os/archive_reader.hpp>

#include <string>

namespace pyro::seed {

struct ArchiveSeed {
  std::string path; // absolute
  HexDigest tree_digest;
  std::uint64_t size = 0;
};

/// Reads the archive only where it changed since `stat_cache` (a small JSON file; empty: none) was written.
/// Error(input_missing) where it is not there, Error(invalid_argument) where it is not named like an archive.
ArchiveSeed scan_archive_seed(const std::string& path, const std::string& stat_cache);

/// Unpacks into `destination`/`to` (to.only and whiteouts are not used). Error(stale) when the archive
/// changed meanwhile.
os::ArchiveSummary unpack_archive_seed(
    const ArchiveSeed& seed, const std::string& destination, const SeedPlacement& to,
    os::ArchivePolicy policy = {});

} // namespace pyro::seed
