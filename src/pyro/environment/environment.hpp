// The root file systems that workspaces stand on: this machine (`host`), a directory, an archive, an OCI
// image, or Debian built from its packages. Resolved to layers of the store and installed on first use; what
// is known of them between processes: cache.hpp.
#pragma once

#include "cache.hpp"
#include "image.hpp"
#include "installs.hpp"

#include <pyro/base/dry_run.hpp>
#include <pyro/base/json_access.hpp>
#include <pyro/base/sha256.hpp>
#include <pyro/os/file_lock.hpp>
#include <pyro/store/layered_view.hpp>
#include <pyro/store/layers.hpp>
#include <pyro/store/recipes.hpp>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pyro::environment {

struct Environment {
  std::string image;                  // as asked for
  HexDigest digest;                   // what recipe keys are made from
  std::vector<HexDigest> layers;      // bottom to top
  std::vector<std::string> host_dirs; // live directories of this machine below the layers: "usr", "opt"
  Json details;
  std::string default_user = "root";
  std::string workdir = "/workspace";
  std::map<std::string, std::string> env;
  std::map<std::string, std::string> image_env; // what of it the image itself says

  /// The same as store records spell them: {"/usr", "usr"}.
  std::vector<store::HostDirectory> host_directories() const;
};

/// One line: kind "note" (what is being done) or "log" (output of a tool). Called in the caller's thread.
using EnvironmentProgress = std::function<void(std::string_view kind, const std::string& text)>;

enum class Refresh { no, yes };

class Environments {
public:
  /// `cache` is where digests are remembered; empty: store::environment_cache_directory().
  Environments(
      const store::Base& base, const store::LayerStore& layers, EnvironmentProgress progress,
      std::string cache = {});

  /// The environment of an image, pulled or built where it is missing or its layers are gone. Relative paths
  /// in `image` are below `directory`. The caller holds store::lock_store_shared() until a record refers to
  /// the layers.
  Environment resolve(const std::string& image, const std::string& directory, RegistryAccess access);

  /// The digest that resolve() would give, without building anything: for plans and the no-op apply. Reads no
  /// package database or archive twice (stat cache). nullopt: it is known only after resolve().
  std::optional<HexDigest>
  fingerprint(const std::string& image, const std::string& directory, RegistryAccess access);

  /// Error(unavailable) where a program is missing that resolve() would need: what to install is in its hint.
  void require_programs(const std::string& image, const std::string& directory, RegistryAccess access);

  /// What the name of a registry's image stands for now, "docker.io/library/alpine@sha256:…": asked of the
  /// registry. nullopt for images that are no such name, or name a digest already. (pins.cpp)
  std::optional<std::string>
  pinned(const std::string& image, const std::string& directory, RegistryAccess access);

  /// resolve() of `exact`, a pinned() name of `image`: that is what `image` is from now on, as if it had been
  /// fetched by that name.
  Environment resolve_pinned(
      const std::string& image, const std::string& exact, const std::string& directory,
      RegistryAccess access);

  /// What a lock compares of an image that is not fetched by its digest (lock_name()), "sha256:…": the file
  /// of an archive, what a layout has under the tag, the packages of a Debian. nullopt: it is not built yet,
  /// or nothing of it can be locked.
  std::optional<std::string>
  digest_for_lock(const std::string& image, const std::string& directory, RegistryAccess access);

  /// The variables that the image itself wants processes to have: empty for all but OCI images, and where it
  /// is not installed.
  std::map<std::string, std::string>
  image_env(const std::string& image, const std::string& directory, RegistryAccess access);

  /// Installs it, or reads an existing install again and repairs it where it is damaged. With Refresh::yes an
  /// intact one is built anew too. {"image", "digest", "status": installed|present|repaired|refreshed,
  /// "layers", ...}
  Json pull(const std::string& image, const std::string& directory, Refresh refresh = Refresh::no);

  /// {"environments": [{image, digest, installed, in_use, size_bytes, created_at}], "available": [images]}
  Json list();

  /// All that is known of one, installed or not.
  Json inspect(const std::string& image, const std::string& directory);

  /// Forgets installs that no workspace, snapshot or recipe stands on. Their layers go with the next
  /// store::collect_garbage(). {"removed": [{image, digest, size_bytes, reason}], "kept": count, "bytes",
  /// "dry_run"} Waits that long for those who use the store, else Error(locked).
  Json prune(DryRun dry_run, std::chrono::milliseconds patience = std::chrono::seconds(30));

  /// Forgets one install as prune() does. Error(not_found) where it is not installed, Error(bad_state) where
  /// something stands on it. {"image", "digest", "size_bytes"}
  Json remove(
      const std::string& image, const std::string& directory,
      std::chrono::milliseconds patience = std::chrono::seconds(30));

  /// Are there state directories of this user that have images too?
  bool has_other_homes() const;

  /// The user's cache, of all state directories.
  const EnvironmentCache& cache() const { return m_cache; }

private:
  struct Built;

  /// Installs under this name, as list() tells it, that are of no use any more.
  std::vector<HexDigest> without_layers(const std::string& image) const;

  std::optional<HexDigest> known_in_registry(const ImageReference& reference) const;
  void
  remember_source(const ImageReference& reference, const std::string& stamp, const HexDigest& digest) const;
  std::optional<HexDigest> known_digest(const ImageReference& reference);
  std::optional<EnvironmentRecord> installed(const HexDigest& digest) const;
  std::optional<EnvironmentRecord> installed(const ImageReference& reference);
  bool layers_are_there(const std::vector<HexDigest>& layers) const;
  std::optional<std::string> damage_of(const EnvironmentRecord& record) const;
  os::ExclusiveLock lock_image(const ImageReference& reference) const;
  EnvironmentRecord install(const ImageReference& reference);
  EnvironmentRecord install_oci(const ImageReference& reference);
  std::string stamp_of_source(const ImageReference& reference) const;
  os::ExclusiveLock lock_store(const char* operation, std::chrono::milliseconds patience) const;
  void forget(const HexDigest& digest);
  void forget_unused_oci_layers();
  void record_install(EnvironmentRecord& record) const;
  void remove_layers(const std::vector<HexDigest>& layers);
  std::string status_of_install(const ImageReference& reference, bool is_installed, bool is_damaged);
  EnvironmentRecord publish(const ImageReference& reference, store::Staging staging, Built built);
  Built build(const ImageReference& reference, const store::Staging& staging);
  std::vector<std::string> private_paths() const;
  std::vector<std::vector<HexDigest>> stacks_in_use() const;
  void note(const std::string& text) const;

  store::Base m_base;
  store::LayerStore m_layers;
  store::RecipeCache m_recipes;
  EnvironmentProgress m_progress;
  EnvironmentCache m_cache;
  InstallRecords m_installs;
};

} // namespace pyro::environment
