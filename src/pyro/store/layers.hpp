// The store of immutable trees. A layer is what changed on top of the layers below it, named by the digest of
// its content. How layers are looked at together: layered_view.hpp; how they come to be: capture.hpp.
#pragma once

#include "layout.hpp"

#include <pyro/base/json_access.hpp>
#include <pyro/base/sha256.hpp>
#include <pyro/os/atomic_file.hpp>
#include <pyro/os/file_lock.hpp>
#include <pyro/os/tree_walk.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pyro::store {

/// A directory in the store's staging area in which a layer is built. Removed on destruction unless it was
/// published; its lock tells the garbage collector that somebody is still at it.
class Staging {
public:
  explicit Staging(const Base& base);
  ~Staging();
  Staging(Staging&&) noexcept;
  Staging& operator=(Staging&&) = delete;

  /// "<staging>/<name>/tree"; not created: build it there with mkdir, rename or copy.
  std::string tree() const { return m_directory + "/tree"; }

  const std::string& directory() const { return m_directory; }

private:
  friend class LayerStore;
  std::string m_directory;
  std::string m_lock_path;
  std::optional<os::ExclusiveLock> m_lock;
};

struct LayerInfo {
  std::string kind;       // "seed", "step", "snapshot", "image", ...
  std::string created_by; // for people: the step's address, the workspace
};

struct LayerManifest {
  HexDigest digest;
  std::uint64_t entry_count = 0;
  std::uint64_t size_bytes = 0;
  double created_at = 0;
  std::string kind;
  std::string created_by;
};

Json to_json(const LayerManifest& manifest);
LayerManifest manifest_from_json(const Json& value);

/// The SHA-256 of a file's content where the caller knows it already, else nullopt.
using KnownContent = std::function<std::optional<HexDigest>(const os::TreeEntry&)>;

struct TreeDigest {
  HexDigest digest;
  std::uint64_t entry_count = 0; // without the root
  std::uint64_t size_bytes = 0;  // of regular files, hard links counted once
};

/// Over path, type, mode, owner, link target, device number, extended attributes and content of every entry;
/// not over times and hard link counts.
TreeDigest digest_tree(const std::string& tree, const KnownContent& known = {});

class LayerStore {
  struct Memory;

public:
  explicit LayerStore(Base base);

  /// While one lives a layer that was found is not looked for again, through this store and its copies. Only
  /// for who holds the store's lock: nobody removes layers then.
  class Remembering {
  public:
    explicit Remembering(const LayerStore& store);
    ~Remembering();
    Remembering(const Remembering&) = delete;
    Remembering& operator=(const Remembering&) = delete;

  private:
    std::shared_ptr<Memory> m_memory;
  };

  Staging stage() const { return Staging(m_base); }

  /// Makes the staged tree a layer: digest, manifest, sync, rename. Where the layer is there already the
  /// staged tree is dropped. The caller holds the store's shared lock until something refers to the layer.
  LayerManifest publish(
      Staging staging, const LayerInfo& info, os::Durable durable = os::Durable::yes,
      const KnownContent& known = {}) const;

  /// The manifest of a layer; not_found where there is none, `failed` where it is damaged.
  LayerManifest open(const HexDigest& digest) const;
  /// nullopt where it is missing or its manifest is damaged.
  std::optional<LayerManifest> find(const HexDigest& digest) const;
  /// The directory that is mounted. Not checked for existence.
  std::string tree(const HexDigest& digest) const;
  /// Of all of them. Error(failed) where one is missing: without it there is other content, not less of it.
  std::vector<std::string> trees(const std::vector<HexDigest>& digests) const;

  /// Reads everything again: nullopt where it is intact, else what is wrong.
  std::optional<std::string> verify(const HexDigest& digest) const;
  /// All layers, by name of their directory.
  std::vector<HexDigest> list() const;
  /// Moves the layer out of the way at once and then removes it. A missing one is fine.
  void remove(const HexDigest& digest) const;
  /// The first half of remove(): moves it into `bin`, for removal without the store's lock. Should this
  /// process be killed before, others find the bin unlocked and remove it. Returns where it is; nullopt: it
  /// was not there.
  std::optional<std::string> detach(const HexDigest& digest, const Staging& bin) const;

  const Base& base() const { return m_base; }

private:
  std::string directory(const HexDigest& digest) const;
  std::optional<LayerManifest> read_manifest(const HexDigest& digest) const;
  Base m_base;
  std::shared_ptr<Memory> m_memory; // of it and its copies
};

/// 64 lower-case hexadecimal digits?
bool is_digest(const std::string& text);

} // namespace pyro::store
