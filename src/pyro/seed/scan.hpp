// Finds out which files a seed consists of and what is in them, reading only those that changed since the
// last scan. Copying them is seed_copy's, archives as seeds are seed_archive's business.
#pragma once

#include "entry.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace pyro::seed {

enum class GitMode {
  tracked,
  tracked_untracked, // what git tracks and what it does not ignore
  all,               // everything, .git too
};

/// Is .git a part of the seed, beside files that are chosen by GitMode? Mode `all` has it anyhow.
enum class GitHistory { left_out, taken };

/// "tracked", "tracked+untracked", "all"; throws invalid_argument for others.
GitMode git_mode_of(std::string_view text);

enum class Hashing {
  all,        // every digest is known afterwards
  known_only, // files that would have to be read are left for the copy (materialise), which reads them anyway
};

/// A file, whatever its names.
struct FileId {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;

  bool operator==(const FileId&) const = default;
};

struct SeedRequest {
  std::string source;                       // a directory, without a symlink on its path
  GitMode git = GitMode::tracked_untracked; // outside a git checkout everything is taken, in each mode
  GitHistory history = GitHistory::left_out;
  std::vector<std::string> exclude; // gitignore patterns, stronger than .gitignore and .pyroignore
  std::string stat_cache;           // file; empty: none
  Hashing hashing = Hashing::all;
  unsigned threads = 2;
  std::vector<FileId> own_outputs; // what pyro itself writes to just now: left out
  /// Paths whose content is kept by the scan, for the copy: they changed in between the last time.
  std::set<std::string, std::less<>> restless;
};

struct SeedWarning {
  std::string path;
  std::string reason; // "a socket is left out"

  bool operator==(const SeedWarning&) const = default;
};

class SeedTree; // tree.hpp: per-directory results, kept for the digest and the stat cache

/// Move-only. The views in the entries live as long as it does.
class SeedScan {
public:
  explicit SeedScan(std::unique_ptr<SeedTree> tree);
  ~SeedScan();
  SeedScan(SeedScan&&) noexcept;
  SeedScan& operator=(SeedScan&&) noexcept;

  const std::string& source() const;
  /// In path_before order; without the root. Directories that hold nothing chosen are not among them, except
  /// empty ones outside git.
  const std::vector<SeedEntry>& entries() const;
  const SeedEntry* find(std::string_view path) const;
  const std::vector<SeedWarning>& warnings() const;

  std::uint64_t file_count() const;
  std::uint64_t total_bytes() const;
  /// Files whose content has not been read, and their bytes.
  std::uint64_t unread_files() const;
  std::uint64_t unread_bytes() const;

  bool complete() const;

  /// Over path, type, permission bits, link target and content, not over times and owners. Needs complete().
  HexDigest tree_digest() const;

  /// Reads what has not been read yet. What will not hold still is taken as it was at one moment, which
  /// warnings() tell, as what went away meanwhile.
  void complete_digests();
  /// The same for some entries only, by index.
  void complete_digests_of(const std::function<bool(std::size_t index)>& wanted);
  /// For those who read the content themselves: index into entries(). Thread-safe for different indexes.
  void set_digest(std::size_t index, const ContentDigest& digest);

  /// Writes the stat cache where something in it changed. scan_seed() does it itself once complete.
  void save_stat_cache();

  /// For delta_of and for keeping beside the layer. Needs complete().
  std::string manifest() const;

  /// For seed_copy.
  SeedTree& tree() { return *m_tree; }

private:
  std::unique_ptr<SeedTree> m_tree;
};

/// Error(input_missing) where the source is no directory, Error(permission) for what cannot be read.
SeedScan scan_seed(const SeedRequest& request);

/// The content that a step declared as its inputs.
struct SeedInputs {
  std::vector<std::string> paths; // files, symlinks and directories in path_before order
  HexDigest digest;
};

/// Patterns as InputPattern has them. Error(input_missing) for a pattern that matches nothing. Reads the
/// matching files where that is still to be done.
SeedInputs digest_of_inputs(SeedScan& scan, const std::vector<std::string>& patterns);

} // namespace pyro::seed
