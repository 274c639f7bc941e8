// Packs a tree as a pax tar whose bytes depend on nothing but the tree: sorted, no access times, no user
// names. With Whiteouts::overlay the tree is an overlay layer and its deletions become OCI's.
#pragma once

#include "archive_reader.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace pyro::os {

enum class Compression { none, zstd };

struct ArchiveOptions {
  Compression compression = Compression::none;
  int zstd_level = 3;
  Whiteouts whiteouts = Whiteouts::plain;
  std::optional<std::int64_t> max_mtime;  // later times are lowered to this (SOURCE_DATE_EPOCH)
  std::optional<std::uint32_t> uid_shift; // subtracted from every uid and gid that is at least as high
  std::string prefix;                     // member paths start with this ("workspace")
};

/// Writes the tree below `directory` to the descriptor; sockets are left out, devices refused.
ArchiveSummary write_archive(int directory, int output, const ArchiveOptions& options);

} // namespace pyro::os
