// What is different between two stacks of layers, at a cost that follows what the layers that differ hold,
// never the size of the tree. Text patches: text_patch.hpp.
#pragma once

#include "layered_view.hpp"

#include <pyro/base/json_access.hpp>

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace pyro::store {

enum class DiffStatus { added, modified, deleted, type_changed };
enum class ArtifactType { file, directory, symlink };

std::string_view name_of(DiffStatus status);
std::string_view name_of(ArtifactType type);

struct DiffEntry {
  std::string path; // relative to DiffOptions::root
  DiffStatus status;
  ArtifactType artifact_type; // of the new state; of the old one where it was deleted
  std::optional<Found> before;
  std::optional<Found> after;
  std::string patch_path; // in patches; empty: `path`
  bool in_patch = true;   // in the patch of all; else only in its own entry
};

struct DiffOptions {
  /// The directory of the sandbox that is compared, e.g. "workspace"; "" is everything.
  std::string root;
  /// True: leave this path (relative to root) and all below it out.
  std::function<bool(const std::string& path, bool is_directory)> ignored;
};

/// Sorted by path. A directory is an entry of its own only where it is empty (its files tell of it
/// otherwise), changed its mode or owner, or became something else. Content that was only touched, or renamed
/// and renamed back, is no change. With the trees that both stacks have in common at the bottom only the
/// others are looked through.
std::vector<DiffEntry> compute_diff(const Stack& before, const Stack& after, const DiffOptions& options = {});

struct DiffSummary {
  int total = 0;
  int added = 0;
  int modified = 0;
  int deleted = 0;
  int type_changed = 0;
  int text_patched = 0;
  int non_text = 0;
};

enum class Patches { yes, no };

/// The contract's form (diff-baseline): {changed, summary, entries[] {path, status, artifact_type, size,
/// text_patch, lines_added, lines_deleted}, patch}. Behind 64 MiB of patches the rest have none. Paths that
/// are no UTF-8 are quoted as git quotes them. `patch` is all text patches as one that `git apply` takes:
/// where a text file or symlink became a directory it also takes that away; where something else did, the
/// files of that directory are only in their entries. With Patches::no no content is read: text_patch is
/// null, and text_patched, non_text and patch are left out.
Json diff_document(const std::vector<DiffEntry>& entries, Patches patches = Patches::yes);

} // namespace pyro::store
