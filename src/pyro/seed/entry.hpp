// One file of a seed, and the list of them that is kept beside a layer (the manifest).
#pragma once

#include <pyro/base/sha256.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace pyro::seed {

/// SHA-256 as bytes; a hundred thousand of them should not be strings.
using ContentDigest = std::array<std::byte, 32>;

enum class SeedType : std::uint8_t { directory = 1, file = 2, symlink = 3 };

struct SeedEntry {
  std::string_view path; // relative, "src/a.ts"; belongs to the scan or manifest
  std::string_view link_target;
  SeedType type = SeedType::file;
  bool has_digest = false;      // of a file's content; false until it has been read
  bool has_xattrs = false;      // user.* attributes
  std::uint16_t mode = 0;       // permission bits; set-id bits are dropped, sticky is kept for directories
  std::uint32_t link_group = 0; // files with the same number, not 0, are hard links of each other
  std::uint64_t size = 0;
  std::int64_t mtime_ns = 0;
  std::int64_t ctime_ns = 0; // 0 in manifests
  ContentDigest digest{};
};

/// Git's order of a tree walk: component by component, so that a directory is followed by all it holds.
bool path_before(std::string_view left, std::string_view right);

/// Entries in path_before order, and the digest over them.
struct SeedManifest {
  HexDigest tree_digest;
  std::vector<SeedEntry> entries;
  std::shared_ptr<const std::string> text; // what the views point into

  const SeedEntry* find(std::string_view path) const;
};

/// What must be done to a copy of `before` to make it `after`; times are not compared.
struct SeedDelta {
  std::vector<std::string> changed; // new or different, sorted; without the parents that did not change
  std::vector<std::string> deleted; // sorted; of a deleted directory only itself

  bool empty() const { return changed.empty() && deleted.empty(); }
};

/// Every digest must be known on both sides.
SeedDelta delta_of(const std::vector<SeedEntry>& before, const std::vector<SeedEntry>& after);

/// Compact binary form with a version and a check sum.
std::string encode_manifest(const HexDigest& tree_digest, const std::vector<SeedEntry>& entries);
/// Throws Error(protocol) for anything that encode_manifest did not write; `what` names it.
SeedManifest decode_manifest(std::string bytes, std::string_view what);

/// Fast check sum against damage (not against forgery).
std::uint64_t check_sum_of(std::string_view bytes);

} // namespace pyro::seed
