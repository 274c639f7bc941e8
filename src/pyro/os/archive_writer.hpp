// Packs a tree as a pax tar whose bytes depend on nothing but the tree: sorted, no access times, no user
// names. With Whiteouts::overlay the tree is an overlay layer and its deletions become OCI's.
#pragma once

#include "archive_reader.hpp"
#include "packed_stream.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace pyro::os {

/// Of members: the tree's own, or 0:0 with the modes 0755 and 0644, whoever made the tree.
enum class Metadata { of_tree, fixed };

/// Does the directory itself become a member, "./"? It carries the mode and owner of the root.
enum class RootMember { leave_out, include };

struct ArchiveOptions {
  Compression compression = Compression::none;
  int zstd_level = 3;
  Whiteouts whiteouts = Whiteouts::plain;
  std::optional<std::int64_t> max_mtime;  // later times are lowered to this (SOURCE_DATE_EPOCH)
  std::optional<std::uint32_t> uid_shift; // subtracted from every uid and gid that is at least as high
  Metadata metadata = Metadata::of_tree;
  std::string prefix; // member paths start with this ("workspace")
  RootMember root = RootMember::leave_out;
};

/// Writes the tree below `directory` to the descriptor; sockets are left out, devices refused.
ArchiveSummary write_archive(int directory, int output, const ArchiveOptions& options);
/// The same into a sink that compresses by itself (`options.compression` says nothing then).
ArchiveSummary write_archive_to(int directory, PackedSink& sink, const ArchiveOptions& options);

} // namespace pyro::os
