// What the last scan of a tree saw: for each directory its names, for each file its stat fields and digest.
// One file, mapped into memory and looked up by walking along with the scan. Damage is noticed and means "no
// cache".
#pragma once

#include "entry.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pyro::seed {

/// The fields whose equality means "not touched".
struct StatKey {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  std::int64_t mtime_ns = 0;
  std::int64_t ctime_ns = 0;

  bool operator==(const StatKey&) const = default;
};

namespace stat_flags {
constexpr std::uint8_t k_settled = 1; // its times are older than the scan, so equal fields mean equal content
constexpr std::uint8_t k_digest = 2;  // `digest` is known
constexpr std::uint8_t k_xattrs = 4;  // has user.* attributes
constexpr std::uint8_t k_chosen = 8;  // was part of the seed
} // namespace stat_flags

constexpr std::uint32_t k_no_index = 0xffffffff;

/// A name in a directory. Symlinks keep their target as a pool string.
struct CachedName {
  StatKey stat;
  std::uint32_t name_offset = 0;
  std::uint32_t name_size = 0;
  std::uint32_t extra = k_no_index; // directory: index of its CachedDirectory; symlink: offset of the target
  std::uint32_t extra_size = 0;
  std::uint16_t mode = 0; // permission bits as in SeedEntry
  std::uint8_t type = 0;  // d_type of readdir(3)
  std::uint8_t flags = 0;
  std::uint32_t unused = 0;
  ContentDigest digest{};
};

struct CachedDirectory {
  StatKey stat;
  std::uint32_t first = 0; // of its names, sorted
  std::uint32_t count = 0;
  std::uint32_t flags = 0; // k_settled: the names are still right while `stat` is; k_digest
  std::uint32_t unused = 0;
  ContentDigest digest{}; // over what was chosen below it
};

/// Read-only view of a cache file. Its strings are followed by a NUL.
class StatCache {
public:
  /// nullopt: not there, damaged, another version.
  static std::optional<StatCache> open(const std::string& path);
  ~StatCache();
  StatCache(StatCache&& other) noexcept;
  StatCache& operator=(StatCache&& other) noexcept;

  /// Index 0 is the root.
  const CachedDirectory* directory(std::uint32_t index) const;
  std::span<const CachedName> names(const CachedDirectory& directory) const;
  std::string_view text(std::uint32_t offset, std::uint32_t size) const;

  std::string_view name(const CachedName& entry) const { return text(entry.name_offset, entry.name_size); }

private:
  StatCache() = default;

  const char* m_map = nullptr;
  std::size_t m_size = 0;
  std::span<const CachedDirectory> m_directories;
  std::span<const CachedName> m_names;
  std::string_view m_pool;
};

/// Collects the next cache; directories are added in any order, the root first.
class StatCacheBuilder {
public:
  std::uint32_t add_directory(const CachedDirectory& directory);

  CachedDirectory& directory(std::uint32_t index) { return m_directories[index]; }

  std::uint32_t add_name(CachedName name, std::string_view text);

  CachedName& name(std::uint32_t index) { return m_names[index]; }

  std::uint32_t name_count() const { return static_cast<std::uint32_t>(m_names.size()); }

  std::uint32_t add_text(std::string_view text);
  void reserve(std::size_t directories, std::size_t names);

  /// Atomically; not synced, since losing it costs only time.
  void save(const std::string& path) const;

private:
  std::vector<CachedDirectory> m_directories;
  std::vector<CachedName> m_names;
  std::string m_pool;
};

} // namespace pyro::seed
