#include "gc.hpp"

#include "caches.hpp"
#include "gc_images.hpp"
#include "gc_recipes.hpp"
#include "gc_references.hpp"
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
      : m_base(base), m_options(options), m_layers(base), m_recipes(m_layers), m_records(base),
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
        m_needed.add({HolderKind::steps, recipe.workspace}, recipe.layers);
      }
      for (const HexDigest& digest : candidates) {
        const auto manifest = m_needed.has(digest) ? std::nullopt : m_layers.find(digest);
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
      // Nobody uses or makes layers while it is decided what goes; what goes is only moved aside here. Who
      // only looks is in nobody's way.
      std::optional<os::ExclusiveLock> alone;
      std::optional<os::SharedLock> looking;
      if (m_options.dry_run) {
        looking.emplace(
            lock_store_shared(m_base, m_options.lock_timeout, "looking at the store", m_options.waiting));
      } else {
        alone.emplace(m_base.store_lock(), "garbage collection", m_options.lock_timeout, m_options.waiting);
      }
      const bool complete = mark();
      drop_recipes();
      if (complete) {
        sweep_layers();
      }
      sweep_images();
      sweep_staging();
      sweep_caches();
      sweep_build_locks();
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
    m_report.holdings = m_needed.holdings();
    return std::move(m_report);
  }

private:
  bool is_young(double since, std::chrono::milliseconds min_age) const {
    return m_now - since < std::chrono::duration<double>(min_age).count();
  }

  void removed(std::string kind, std::string name, std::uint64_t bytes, std::string reason) {
    m_report.removed.push_back({std::move(kind), std::move(name), bytes, std::move(reason)});
  }

  /// False where not all references are known: then no layer is removed.
  bool mark() {
    m_needed.add_workspaces(m_options.without);
    const auto& problems = m_needed.problems();
    m_report.skipped.insert(m_report.skipped.end(), problems.begin(), problems.end());
    return m_needed.complete();
  }

  void drop_recipes() {
    std::vector<std::string> damaged;
    auto recipes = m_recipes.list(&damaged);
    for (const std::string& key : damaged) {
      removed("recipe", key, 0, "damaged");
      if (!m_options.dry_run && is_safe_name(key)) {
        m_recipes.remove(key);
      }
    }
    for (DoomedRecipe& recipe : choose_recipes(std::move(recipes), m_options, m_layers, m_needed)) {
      if (!m_options.dry_run) {
        m_recipes.remove(recipe.key);
      }
      removed("recipe", std::move(recipe.key), 0, std::move(recipe.reason));
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

  void sweep_layers() {
    for (const HexDigest& digest : m_layers.list()) {
      if (m_needed.has(digest)) {
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
      removed("staging", name, bytes_below(path), "left behind");
      if (!m_options.dry_run) {
        m_doomed.push_back(path);
        std::ignore = unlink(lock_path.c_str());
      }
    }
  }

  /// Whoever builds holds the store's lock as well.
  void sweep_build_locks() {
    for (const std::string& name : os::list_directory(m_base.build_locks())) {
      if (!m_options.dry_run) {
        std::ignore = unlink((m_base.build_locks() + "/" + name).c_str());
      }
    }
  }

  /// Moved aside while nobody builds: a cache of the same name may be made again right afterwards.
  void sweep_caches() {
    for (const StaleCache& cache : stale_caches(m_base, m_options.caches_of)) {
      removed("cache", cache.name, bytes_below(cache.path), cache.reason);
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
      removed("generation", id + "/" + name, bytes_below(path), "no longer in use");
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
  References m_needed{m_layers};
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
