// What a scan knows, directory by directory. Shared by seed_walk (fills it), seed_tree (digests, list of
// entries, stat cache) and seed_scan (the interface for everybody else).
#pragma once

#include "scan.hpp"
#include "select.hpp"
#include "spool.hpp"
#include "stat.hpp"
#include "stat_cache.hpp"

#include <pyro/os/fd.hpp>

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace pyro::seed {

struct SeedDirectory;

/// One name in a directory, chosen or not. Fields beyond name and type are known for chosen ones only.
struct SeedName {
  std::string_view name;
  std::string_view link_target;
  SeedDirectory* child = nullptr; // of a chosen directory
  StatKey stat;
  ContentDigest digest{};
  std::uint32_t links = 1;
  std::uint16_t mode = 0;
  std::uint8_t type = 0;  // DT_REG and so on
  std::uint8_t flags = 0; // stat_flags

  bool has(std::uint8_t flag) const { return (flags & flag) != 0; }

  void set(std::uint8_t flag) { flags = static_cast<std::uint8_t>(flags | flag); }
};

struct SeedDirectory {
  std::string path; // in the seed, "" is the root
  const CachedDirectory* cached = nullptr;
  StatKey stat;
  std::uint16_t mode = 0;
  bool listing_settled = false;
  bool same_as_cached = false; // names, choice and content; not counting what is below
  bool holds_anything = false; // chosen names, here or below
  bool was_empty = false;      // no names at all
  bool has_digest = false;
  ContentDigest digest{};
  std::vector<SeedName> names; // sorted
  std::string text;            // what the names point into, unless into the cache
  std::vector<std::string> targets;
  std::vector<std::unique_ptr<SeedDirectory>> children;
  SeedRules rules; // inherited; emptied after the walk
};

class SeedTree {
public:
  explicit SeedTree(SeedRequest request);

  /// Reads directories and stat fields; no content.
  void walk();
  /// Flattens what the walk found; later calls cost nothing.
  const std::vector<SeedEntry>& entries();
  void set_digest(std::size_t index, const ContentDigest& digest);
  /// Has the open file user.* attributes? Remembered with its digest.
  void note_xattrs(std::size_t index, int fd);
  /// Writes the content that the scan kept of a file to another; false: it kept none.
  bool copy_kept(std::size_t index, int target) const;
  /// Reads one file's content for its digest, and keeps it where the file does not hold still.
  void read_digest(std::size_t index);
  /// Files that went away before they were read are no part of the seed: entries() changes. False: none did.
  bool drop_vanished();
  std::vector<std::size_t> unread_indexes();
  /// Does any file lack its digest? Without flattening where possible.
  bool has_unread();
  HexDigest tree_digest();
  void save_stat_cache();

  const SeedRequest& request() const { return m_request; }

  int root_fd() const { return m_root_fd.get(); }

  void sort_warnings();

  std::vector<SeedWarning>& warnings() { return m_warnings; }

private:
  friend class SeedWalker;

  /// nullopt: it vanished.
  std::optional<os::Fd> open_file(const std::string& path);
  /// Reads it as one piece. False: it changed meanwhile.
  bool read_whole(std::size_t index, const os::Fd& file, const SeedStat& before);
  /// One read through one descriptor, to the size that the file has now.
  void keep_content(std::size_t index, const os::Fd& file, const SeedStat& before);
  void note_stat(std::size_t index, const SeedStat& stat, std::uint64_t size);
  void flatten(const SeedDirectory& directory);
  const ContentDigest& digest_of(SeedDirectory& directory);
  bool prune(SeedDirectory& directory);
  bool needs_saving(const SeedDirectory& directory) const;

  SeedRequest m_request;
  os::Fd m_root_fd;
  std::int64_t m_scan_start_ns = 0;
  std::optional<StatCache> m_cache;
  SeedSelector m_selector;
  std::unique_ptr<SeedDirectory> m_root;
  std::vector<SeedWarning> m_warnings;
  std::mutex m_reading_mutex; // of the warnings and what follows, while files are read
  ContentSpool m_spool;
  std::map<const SeedName*, ContentSpool::Span> m_kept;
  std::vector<SeedName*> m_vanished;
  bool m_flat = false;
  std::vector<SeedEntry> m_entries;
  std::vector<SeedName*> m_names_of_entries;
  std::vector<std::unique_ptr<char[]>> m_paths;
  std::size_t m_path_room = 0;
};

} // namespace pyro::seed
