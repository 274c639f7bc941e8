// Puts a prepared tree over a live one that others go on using: every entry by one rename, and all of them or
// none. For a tree that nobody uses yet TreeWriter alone is enough.
#pragma once

#include "fd.hpp"

#include <sys/stat.h>

#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pyro::os {

struct MergeCounts {
  std::uint64_t added = 0;
  std::uint64_t replaced = 0;
  std::uint64_t removed = 0;
  std::uint64_t unchanged = 0; // the very same entry was there
};

/// Directories merge, and one that exists keeps its mode and owner; anything else replaces what is no
/// directory. No symlink of the live tree is ever followed. Paths are relative and normal
/// (normal_member_path).
class TreeMerge {
public:
  /// Three directories of one file system, kept open by the caller: the live one; the prepared one, which is
  /// used up; an empty one that takes what is removed. Nobody else may use the latter two.
  TreeMerge(int live, int prepared, int attic) : m_live(live), m_prepared(prepared), m_attic(attic) {}

  enum class Prune { no, yes };

  /// A file, a symlink or an empty directory goes. Prune::yes: so do directories that are empty by then.
  void remove(const std::string& path, Prune prune);

  /// commit() fails (stale) unless a regular file of this size and time is there; nullopt: unless nothing is.
  struct Look {
    std::uint64_t size = 0;
    std::int64_t mtime_ns = 0;
  };

  void expect(const std::string& path, const std::optional<Look>& look);

  /// Throws with the live tree as it was before; Error(internal) names what could not be put back.
  MergeCounts commit();

private:
  enum class Did { placed, exchanged, removed_file, removed_directory };

  struct Step {
    Did did;
    std::string path;
    struct stat status = {}; // of a removed directory
    std::size_t number = 0;  // of a removed file: its name in the attic
  };

  struct Expectation {
    std::string path;
    std::optional<Look> look;
  };

  struct Removal {
    std::string path;
    Prune prune;
  };

  Fd parent_in(int root, const std::string& path) const;
  void check(const Expectation& expectation) const;
  void remove_now(const Removal& removal);
  void prune_above(std::string path);
  void merge(int prepared, int live, const std::string& path);
  void
  put(int prepared, int live, const std::string& name, const std::string& path, const struct stat& status);
  void undo();
  void undo(const Step& step);

  int m_live;
  int m_prepared;
  int m_attic;
  std::vector<Expectation> m_expectations;
  std::vector<Removal> m_removals;
  std::vector<Step> m_steps;
  MergeCounts m_counts;
};

/// The time of last change of the content, in nanoseconds since the epoch.
std::int64_t mtime_ns_of(const struct stat& status);

} // namespace pyro::os
