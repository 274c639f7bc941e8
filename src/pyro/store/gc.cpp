#include "gc.hpp"

#include "caches.hpp"
#include "gc_images.hpp"
#include "layers.hpp"
#include "recipes.hpp"
#include "records.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/text.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/os/crash_point.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/id_space.hpp>

#include <sys/stat.h>

#include <algorithm>
#include <set>
#include <unistd.h>

namespace pyro::store {

namespace {

/// Files in sandboxes may have modes and owners that only their own id space can look at, and remove.
std::uint64_t disk_usage(const std::string& path) {
  struct stat status {};

  if (lstat(path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) {
    return 0; // a symlink is one, wherever it leads
  }
  return os::IdSpace::current()
      .run([&path]() -> Json {
        std::uint64_t bytes = 0;
        os::walk_tree(
            path, os::TreeVisitor{
                      [&bytes](const os::TreeEntry& entry) {
                        bytes += static_cast<std::uint64_t>(entry.status.st_blocks) * 512;
                        return os::Visit::go_on;
                      },
                      {}});
        return bytes;
      })
      .get<std::uint64_t>();
}

void remove_trees(const std::vector<std::string>& paths) {
  if (paths.empty()) {
    return;
  }
  os::IdSpace::current().run([&paths]() -> Json {
    for (const std::string& path : paths) {
      os::remove_tree(path);
    }
    return nullptr;
  });
}

double modified_at(const std::string& path) {
  struct stat status {};

  if (lstat(path.c_str(), &status) != 0) {
    return os::now_epoch(); // gone or unreadable: as young as can be
  }
  return static_cast<double>(status.st_mtim.tv_sec);
}

class Collection {
public:
  Collection(const Base& base, const GcOptions& options)
      : m_base(base), m_options(options), m_layers(base), m_recipes(base), m_records(base),
        m_now(os::now_epoch()) {
    m_report.dry_run = options.dry_run;
  }

  /// Only `candidates`, whatever their age: their last owner has just let go of them.
  std::uint64_t run_for(const std::set<HexDigest>& candidates) {
    {
      const auto lock = os::ExclusiveLock::try_lock(m_base.store_lock(), "removing a snapshot");
      if (!lock || !mark()) {
        return 0;
      }
      for (const RecipeRecord& recipe : m_recipes.list()) {
        m_used.insert(recipe.layers.begin(), recipe.layers.end());
      }
      for (const HexDigest& digest : candidates) {
        const auto manifest = m_used.contains(digest) ? std::nullopt : m_layers.find(digest);
        if (!manifest) {
          continue;
        }
        m_report.bytes += manifest->size_bytes;
        detach(digest);
      }
    }
    remove_trees(m_doomed);
    return m_report.bytes;
  }

  GcReport run() {
    {
      // Nobody uses or makes layers while it is decided what goes; what goes is only moved aside here.
      const os::ExclusiveLock lock(
          m_base.store_lock(), "garbage collection", m_options.lock_timeout, m_options.waiting);
      const bool complete = mark();
      drop_recipes();
      if (complete) {
        sweep_layers();
      }
      sweep_images();
      sweep_staging();
      sweep_caches();
    }
    sweep_generations();
    if (!m_options.dry_run) {
      os::remove_old_temporaries(m_base.recipes());
      os::remove_old_temporaries(m_base.root() + "/stat-cache");
    }
    remove_trees(m_doomed);
    for (const GcItem& item : m_report.removed) {
      m_report.bytes += item.bytes;
    }
    return std::move(m_report);
  }

private:
  bool is_young(double since, std::chrono::milliseconds min_age) const {
    return m_now - since < std::chrono::duration<double>(min_age).count();
  }

  const RecipeRetention& retention_of(const RecipeRecord& recipe) const {
    const auto own = m_options.recipes_of.find(recipe.workspace);
    return own == m_options.recipes_of.end() ? m_options.recipes : own->second;
  }

  void removed(std::string kind, std::string name, std::uint64_t bytes, std::string reason) {
    m_report.removed.push_back({std::move(kind), std::move(name), bytes, std::move(reason)});
  }

  void refer(const std::vector<HexDigest>& layers) { m_used.insert(layers.begin(), layers.end()); }

  /// What plans compare the content with.
  void refer(const ContentBase& base) {
    refer(base.layers.value_or(std::vector<HexDigest>{}));
    if (base.seed) {
      refer(base.seed->below);
      refer(base.seed->first);
      refer(base.seed->last);
    }
  }

  /// False where not all references are known: then no layer is removed.
  bool mark() {
    bool complete = true;
    for (const std::string& id : m_records.ids()) {
      try {
        if (const auto record = m_records.find(id)) {
          refer(record->layers);
          refer(record->base);
          if (const auto& baseline = record->synced_baseline) {
            refer(baseline->layers);
            refer(baseline->below);
            refer(baseline->first_seed);
          }
          if (record->undo) {
            refer(record->undo->layers);
            refer(record->undo->base);
          }
        }
        if (m_records.has_snapshots(id)) {
          for (const SnapshotRecord& snapshot : m_records.snapshots(id)) {
            refer(snapshot.layers);
          }
        }
      } catch (const Error& error) {
        complete = false;
        m_report.skipped.push_back(
            fmt::format("layers: what workspace {} refers to is not known ({})", id, error.what()));
      }
    }
    return complete;
  }

  void drop_recipe(const RecipeRecord& record, const std::string& reason) {
    removed("recipe", record.key, 0, reason);
    if (!m_options.dry_run) {
      m_recipes.remove(record.key);
    }
  }

  void drop_recipes() {
    std::vector<std::string> damaged;
    std::vector<RecipeRecord> recipes = m_recipes.list(&damaged);
    for (const std::string& key : damaged) {
      removed("recipe", key, 0, "damaged");
      if (!m_options.dry_run && is_safe_name(key)) {
        m_recipes.remove(key);
      }
    }
    std::sort(recipes.begin(), recipes.end(), [](const RecipeRecord& one, const RecipeRecord& other) {
      return one.last_used > other.last_used;
    });
    std::map<std::pair<std::string, std::string>, int> kept;
    std::map<std::string, std::set<HexDigest>> layers_of;
    for (const RecipeRecord& recipe : recipes) {
      const auto& retention = retention_of(recipe);
      const bool is_one_of_few = ++kept[{recipe.workspace, recipe.address}] <= retention.keep;
      auto& layers = layers_of[recipe.workspace];
      const bool fits = !retention.max_size || size_with(layers, recipe) <= *retention.max_size;
      if (!(is_one_of_few && fits) && !is_young(recipe.last_used, retention.min_age)) {
        drop_recipe(
            recipe, is_one_of_few ? "the layers of its workspace are larger than their limit"
                                  : "newer ones are kept for the same step");
        continue;
      }
      layers.insert(recipe.layers.begin(), recipe.layers.end());
      m_used.insert(recipe.layers.begin(), recipe.layers.end());
    }
  }

  void detach(const HexDigest& digest) {
    if (!m_bin) {
      m_bin.emplace(m_base);
    }
    if (auto moved = m_layers.detach(digest, *m_bin)) {
      m_doomed.push_back(std::move(*moved));
      os::crash_point("gc.detached");
      std::ignore = unlink(m_base.layer_image(digest).c_str());
    }
  }

  std::uint64_t size_with(std::set<HexDigest> layers, const RecipeRecord& recipe) {
    layers.insert(recipe.layers.begin(), recipe.layers.end());
    std::uint64_t bytes = 0;
    for (const HexDigest& digest : layers) {
      const auto manifest = m_layers.find(digest);
      bytes += manifest ? manifest->size_bytes : 0;
    }
    return bytes;
  }

  void sweep_layers() {
    for (const HexDigest& digest : m_layers.list()) {
      if (m_used.contains(digest)) {
        continue;
      }
      const auto manifest = m_layers.find(digest);
      if (is_young(
              manifest ? manifest->created_at : modified_at(m_base.layers() + "/" + digest),
              m_options.min_age)) {
        continue;
      }
      removed(
          "layer", digest, manifest ? manifest->size_bytes : 0,
          manifest ? "nothing refers to it" : "damaged, and nothing refers to it");
      if (!m_options.dry_run) {
        detach(digest);
      }
    }
  }

  void sweep_images() {
    for (GcItem& item : unneeded_images(m_layers)) {
      if (!m_options.dry_run) {
        // A virtual machine that has it open keeps it until it ends.
        std::ignore = unlink((m_base.images() + "/" + item.name).c_str());
      }
      m_report.removed.push_back(std::move(item));
    }
  }

  /// Directories in staging whose lock nobody holds: their maker is dead.
  void sweep_staging() {
    std::set<std::string> doomed(m_doomed.begin(), m_doomed.end());
    for (const std::string& name : os::list_directory(m_base.staging())) {
      const std::string path = m_base.staging() + "/" + name;
      if (doomed.contains(path)) {
        continue;
      }
      const bool is_lock = name.ends_with(".lock");
      const std::string lock_path = is_lock ? path : path + ".lock";
      std::optional<os::ExclusiveLock> lock;
      if (os::exists(lock_path) && !(lock = os::ExclusiveLock::try_lock(lock_path, "garbage collection"))) {
        continue;
      }
      if (is_lock) {
        if (!m_options.dry_run && !os::exists(path.substr(0, path.size() - 5))) {
          std::ignore = unlink(path.c_str());
        }
        continue;
      }
      removed("staging", name, disk_usage(path), "left behind");
      if (!m_options.dry_run) {
        m_doomed.push_back(path);
        std::ignore = unlink(lock_path.c_str());
      }
    }
  }

  /// Moved aside while nobody builds: a cache of the same name may be made again right afterwards.
  void sweep_caches() {
    for (const StaleCache& cache : stale_caches(m_base)) {
      removed("cache", cache.name, disk_usage(cache.path), cache.reason);
      if (m_options.dry_run) {
        continue;
      }
      if (!m_bin) {
        m_bin.emplace(m_base);
      }
      const std::string aside = m_bin->directory() + "/" + cache.name;
      if (::rename(cache.path.c_str(), aside.c_str()) != 0) {
        throw Error::from_errno(errno, fmt::format("move {} aside", cache.path));
      }
      m_doomed.push_back(aside);
    }
  }

  /// Writable directories that are neither current nor kept for an undo.
  void sweep_generations() {
    for (const std::string& id : m_records.ids()) {
      const WorkspacePaths paths(m_base, id);
      try {
        sweep_generations_of(id, paths);
      } catch (const Error& error) {
        if (os::exists(paths.root())) { // or somebody has just removed the workspace
          m_report.skipped.push_back(fmt::format("workspace {}: {}", id, error.what()));
        }
      }
    }
  }

  void sweep_generations_of(const std::string& id, const WorkspacePaths& paths) {
    if (!os::maybe_open_own_directory(paths.root())) {
      return; // not even a lock is made behind a symlink
    }
    const auto lock = os::ExclusiveLock::try_lock(paths.lock(), "garbage collection");
    if (!lock) {
      m_report.skipped.push_back(fmt::format("workspace {} is busy", id));
      return;
    }
    if (os::exists(paths.journal())) {
      m_report.skipped.push_back(fmt::format("workspace {} has an unfinished operation", id));
      return;
    }
    if (!m_options.dry_run) {
      remove_old_temporaries(paths);
    }
    const auto record = m_records.find(id);
    for (const std::string& name : os::list_directory(paths.generations())) {
      const auto number = whole_number<int>(name);
      const bool kept = !record || (number && *number == record->generation)
                        || (number && record->undo && *number == record->undo->generation);
      if (kept) {
        continue;
      }
      const std::string path = paths.generations() + "/" + name;
      removed("generation", id + "/" + name, disk_usage(path), "no longer in use");
      if (!m_options.dry_run) {
        remove_trees({path});
      }
    }
  }

  const Base& m_base;
  const GcOptions& m_options;
  LayerStore m_layers;
  RecipeCache m_recipes;
  WorkspaceRecords m_records;
  double m_now;
  std::set<HexDigest> m_used;
  std::optional<Staging> m_bin;      // where layers go first
  std::vector<std::string> m_doomed; // moved aside; removed once the lock is free again
  GcReport m_report;
};

} // namespace

os::SharedLock lock_store_shared(
    const Base& base, std::chrono::milliseconds timeout, const std::string& operation,
    const os::WaitingCallback& waiting) {
  return {base.store_lock(), timeout, operation, waiting};
}

void remove_abandoned_staging(const Base& base) {
  for (const std::string& name : os::list_directory(base.staging())) {
    const std::string path = base.staging() + "/" + name;
    if (name.ends_with(".lock")) {
      const auto directory = path.substr(0, path.size() - 5);
      if (!os::exists(directory) && os::ExclusiveLock::try_lock(path, "cleaning up")) {
        std::ignore = unlink(path.c_str()); // a maker that is just beginning takes another name
      }
      continue;
    }
    if (!os::exists(path + ".lock")) {
      continue; // moved aside by a garbage collection, which removes it
    }
    // A maker holds the lock before there is a directory: whoever gets it while there is one found it dead.
    if (const auto lock = os::ExclusiveLock::try_lock(path + ".lock", "cleaning up")) {
      remove_trees({path});
      std::ignore = unlink((path + ".lock").c_str());
    }
  }
}

GcReport collect_garbage(const Base& base, const GcOptions& options) {
  return Collection(base, options).run();
}

std::uint64_t release_layers(const Base& base, const std::vector<HexDigest>& candidates) {
  return candidates.empty() ? 0
                            : Collection(base, GcOptions{}).run_for({candidates.begin(), candidates.end()});
}

} // namespace pyro::store
