// Where everything lies on disk. Only paths and the directories themselves; what is in them: layers.hpp,
// recipes.hpp, records.hpp, journal.hpp.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace pyro::store {

/// The version that every record and manifest carries. Newer ones are refused; what changed since older ones
/// is in migrate_workspace() and old_records.hpp.
inline constexpr int k_layout_version = 3;

/// The one directory that holds all state of one user.
class Base {
public:
  /// PYRO_HOME, else $XDG_STATE_HOME/pyro, else ~/.local/state/pyro. Nothing is created.
  static Base from_environment();
  explicit Base(std::string root);

  /// Creates what is missing, all of it 0700. Refuses (permission) a base that is a symlink, that somebody
  /// else owns or that others may write to.
  void prepare() const;

  const std::string& root() const { return m_root; }

  std::string store() const { return m_root + "/store"; }

  std::string store_lock() const { return store() + "/lock"; }

  /// Held while an environment is made of this machine's own files.
  std::string install_lock() const { return store() + "/install-lock"; }

  /// Locks of those who build a layer, by its recipe key, so that nobody builds the same one beside them.
  std::string build_locks() const { return store() + "/building"; }

  std::string layers() const { return store() + "/layers"; }

  std::string recipes() const { return store() + "/recipes"; }

  /// Space that is kept for the moment when there is none left: disk_reserve.hpp.
  std::string reserve() const { return m_root + "/reserve"; }

  /// What steps keep between builds: see caches.hpp.
  std::string caches() const { return m_root + "/caches"; }

  std::string staging() const { return store() + "/staging"; }

  /// EROFS images for virtual machines: of layers ("DIGEST.erofs") and of this machine's directories
  /// ("host-KEY-usr.erofs").
  std::string images() const { return store() + "/images"; }

  std::string layer_image(const std::string& digest) const { return images() + "/" + digest + ".erofs"; }

  /// Notes of exports that are at work: export_area.hpp in workspace.
  std::string exports() const { return m_root + "/exports"; }

  /// Notes of the projects that hold writable layers to their limit: project_claims.hpp in os.
  std::string disk_projects() const { return m_root + "/disk-projects"; }

  std::string workspaces() const { return m_root + "/workspaces"; }

  /// What verify found, a file for each project: verification_records.hpp in workspace/state.
  std::string verified() const { return m_root + "/verified"; }

  /// What was done: journal.hpp in events.
  std::string events() const { return m_root + "/events"; }

  /// When the retention was carried out last.
  std::string prune_stamp() const { return m_root + "/pruned"; }

  /// All that pyro ever makes below root().
  static std::span<const std::string_view> parts();

private:
  std::string m_root;
};

/// The directory of one workspace.
class WorkspacePaths {
public:
  /// Throws invalid_argument where the id is no single, harmless file name.
  WorkspacePaths(const Base& base, const std::string& id);

  /// Creates the directory and its parts, 0700. already_exists where it is there.
  void create() const;

  const std::string& root() const { return m_root; }

  std::string record() const { return m_root + "/workspace.json"; }

  std::string lock() const { return m_root + "/lock"; }

  std::string journal() const { return m_root + "/journal.json"; }

  std::string generations() const { return m_root + "/gen"; }

  std::string generation(int number) const { return generations() + "/" + std::to_string(number); }

  std::string snapshots() const { return m_root + "/snapshots"; }

  /// The record of a snapshot; the baseline's lies in baseline(). Throws invalid_argument for a name that is
  /// no snapshot name.
  std::string snapshot(const std::string& name) const;

  /// The kept memory of a machine, beside the snapshot of that name. Throws like snapshot().
  std::string memory(const std::string& name) const;

  std::string baseline() const { return m_root + "/baseline"; }

  /// Where layout version 1 had the baseline's record.
  std::string baseline_of_version_1() const { return snapshots() + "/baseline.json"; }

  std::string commands() const { return m_root + "/commands"; }

  std::string shells() const { return m_root + "/shells"; }

  std::string services() const { return m_root + "/services"; }

  std::string runtime() const { return m_root + "/runtime"; }

  std::string control_socket() const { return runtime() + "/control.sock"; }

private:
  std::string m_root;
};

/// Brings a workspace's directory from an older layout version to ours. The caller holds its lock and saves
/// its record afterwards. May be repeated after a crash.
void migrate_workspace(const WorkspacePaths& paths, int from_version);

/// Temporary files that killed writers left in a workspace's directory.
void remove_old_temporaries(const WorkspacePaths& paths);

/// PYRO_ENVIRONMENT_CACHE_DIR, else $XDG_CACHE_HOME/pyro, else ~/.cache/pyro. Nothing is created.
std::string environment_cache_directory();

/// The same place, of which some of the last names need not exist yet, by a path of real directories.
std::string without_symlinks(const std::string& path);

/// mkdir -p for state, 0700; refuses a directory that is a symlink, foreign, or writable by others.
void prepare_private_directory(const std::string& path);

/// A name that is safe as one file name: [A-Za-z0-9][A-Za-z0-9._-]*, at most 128.
bool is_safe_name(const std::string& name);
/// Throws Error(invalid_argument) where no snapshot can be made under it.
void check_new_snapshot_name(const std::string& name);
/// Throws Error(invalid_argument) `cannot delete the baseline snapshot` for that.
void check_removable_snapshot(const std::string& name);

} // namespace pyro::store
