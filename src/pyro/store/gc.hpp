// Removes what nothing refers to any more: layers and their images, recipes past their keep, dead staging,
// stray writable generations,
// caches of checkouts that are gone.
#pragma once

#include "layout.hpp"

#include <pyro/base/json_access.hpp>
#include <pyro/base/sha256.hpp>
#include <pyro/os/file_lock.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace pyro::store {

/// Held by whoever uses or makes layers, until a record refers to them.
os::SharedLock lock_store_shared(
    const Base& base, std::chrono::milliseconds timeout = std::chrono::seconds(30),
    const std::string& operation = "using layers", const os::WaitingCallback& waiting = {});

/// What is kept of the recipes of a workspace's name although no workspace needs them now.
struct RecipeRetention {
  int keep = 3; // for each address, the most recently used
  /// Nothing that was used since is removed.
  std::chrono::milliseconds min_age = std::chrono::hours(1);
  /// Of the layers that these recipes refer to; the least recently used are given up first.
  std::optional<std::uint64_t> max_size;
};

/// Which images stay that no workspace stands on.
enum class ImageKeep {
  recent, // the last few of each name
  in_use, // none
};

struct GcOptions {
  std::map<std::string, RecipeRetention> recipes_of; // by the name of the workspace
  RecipeRetention recipes;                           // of all others
  ImageKeep images = ImageKeep::recent;
  /// Only caches of these checkouts stay, and those of the machine where there is any; absent: of all
  /// checkouts that are there.
  std::optional<std::set<std::string>> caches_of;
  /// No layer and nothing else that is younger is removed.
  std::chrono::seconds min_age = std::chrono::hours(1);
  /// As if these workspaces were gone already.
  std::set<std::string> without;
  bool dry_run = false;
  std::chrono::milliseconds lock_timeout = std::chrono::seconds(30);
  os::WaitingCallback waiting = {};
};

/// In the order in which layers are counted as theirs.
enum class HolderKind {
  workspace,
  destroyed, // a workspace that is kept for undo and its snapshots
  steps,     // cached steps and seeds of a workspace's name
  image,
};

std::string_view name_of(HolderKind kind);

/// Layers that are kept, and on whose behalf.
struct GcHolding {
  HolderKind kind = HolderKind::workspace;
  std::string name;
  std::string id = {};              // of a workspace
  std::uint64_t bytes = 0;          // of layers that nothing before it needs
  std::optional<double> until = {}; // epoch; nullopt: no end is known
};

struct GcItem {
  std::string kind; // "layer", "image", "recipe", "staging", "generation", "cache"
  std::string name;
  std::uint64_t bytes = 0;
  std::string reason;
};

struct GcReport {
  std::vector<GcItem> removed;
  std::uint64_t bytes = 0;
  /// What kept it from doing more: a damaged record, a busy workspace.
  std::vector<std::string> skipped;
  std::vector<GcHolding> holdings;
  bool dry_run = false;
};

/// Bytes on disk of a directory of pyro's; 0 where it is none.
std::uint64_t bytes_below(const std::string& directory);

/// {"kind", "name", "workspace_id", "size_bytes", "until"}
Json to_json(const GcHolding& holding);
Json to_json(const GcReport& report);

GcReport collect_garbage(const Base& base, const GcOptions& options = {});

/// Removes those of these layers that nothing refers to any more; returns their bytes. Waits for nobody:
/// where the store is in use or not all references are known, nothing is removed and a later collection does
/// it.
std::uint64_t release_layers(const Base& base, const std::vector<HexDigest>& candidates);

/// Removes what killed processes left in the staging area. Cheap where there is nothing, and safe beside
/// others that build layers.
void remove_abandoned_staging(const Base& base);

/// Bytes and number of layers, recipes and workspaces, for `pyro store`.
struct StoreUsage {
  std::uint64_t layers = 0;
  std::uint64_t layer_bytes = 0;
  std::uint64_t recipes = 0;
  std::uint64_t workspaces = 0;
};

StoreUsage store_usage(const Base& base);

} // namespace pyro::store
