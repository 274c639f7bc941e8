// Unpacks tar archives that nobody vouches for (seeds, imports, OCI layers): libarchive parses, TreeWriter
// writes. For the other direction see archive_writer.hpp.
#pragma once

#include "tree_writer.hpp"

#include <pyro/base/sha256.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace pyro::os {

enum class Whiteouts {
  plain,   // ".wh.x" is a file like any other
  overlay, // OCI whiteouts become overlayfs' own
};

enum class SpecialFiles {
  refuse,    // devices, FIFOs and sockets make the whole archive invalid
  leave_out, // root file systems have a /dev, which every sandbox makes anew
};

/// Every limit is checked while streaming; exceeding one throws Error(invalid_file) that names it.
struct ArchivePolicy {
  std::uint64_t max_entries = 2'000'000;
  std::uint64_t max_total_bytes = 64ULL << 30;
  std::uint64_t max_file_bytes = 16ULL << 30;
  std::uint64_t max_ratio = 1'000;              // unpacked to packed bytes...
  std::uint64_t ratio_free_bytes = 64ULL << 20; // ...once this much has been unpacked
  Whiteouts whiteouts = Whiteouts::plain;
  SpecialFiles special_files = SpecialFiles::refuse;
  bool digest = false; // ArchiveSummary::digest is made; of archives that are read from a descriptor
  TreePolicy tree;
};

/// The bytes of a tar, block by block; packed_stream.hpp has one that decompresses.
class ByteSource {
public:
  virtual ~ByteSource() = default;
  /// The next block, valid until the next call; empty at the end.
  virtual std::string_view next() = 0;
  /// What was read so far to give these blocks: what max_ratio is measured by.
  virtual std::uint64_t packed_bytes() const = 0;
};

struct ArchiveSummary {
  std::uint64_t entries = 0;
  std::uint64_t files = 0;
  std::uint64_t directories = 0;
  std::uint64_t symlinks = 0;
  std::uint64_t hardlinks = 0;
  std::uint64_t whiteouts = 0;
  std::uint64_t bytes = 0;        // unpacked, logical
  std::uint64_t packed_bytes = 0; // read from the archive
  std::uint64_t dropped_xattrs = 0;
  std::uint64_t left_out = 0;   // special files
  bool stands_on_lower = false; // TreeWriter::stands_on_lower()
  /// Of the very bytes that were unpacked, whatever became of the file meanwhile.
  HexDigest digest;
};

/// True for names that end like an archive we read: .tar .tar.gz .tgz .tar.zst .tar.xz .tar.bz2
bool has_archive_name(std::string_view path);

/// Unpacks into an empty directory of the caller's, who removes it when this throws.
/// Malformed or truncated archives, and by default devices, FIFOs and sockets, are refused as a whole, never
/// skipped.
ArchiveSummary extract_archive(const std::string& path, int directory, const ArchivePolicy& policy);
/// The same from a descriptor at its current position; `name` is for messages.
ArchiveSummary
extract_archive_fd(int archive, const std::string& name, int directory, const ArchivePolicy& policy);
/// The same from bytes that are not compressed any more.
ArchiveSummary
extract_archive_from(ByteSource& source, const std::string& name, int directory, const ArchivePolicy& policy);

} // namespace pyro::os
