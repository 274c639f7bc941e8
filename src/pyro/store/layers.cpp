#include "layers.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/os/crash_point.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/random.hpp>

#include <linux/fs.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <map>
#include <unistd.h>

namespace pyro::store {

namespace {

/// False: there is something at `to` already.
bool rename_new(const std::string& from, const std::string& to) {
  if (renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) {
    return true;
  }
  if (errno == EEXIST || errno == ENOTEMPTY) {
    return false;
  }
  throw Error::from_errno(errno, fmt::format("rename {} to {}", from, to));
}

std::string manifest_path(const std::string& directory) {
  return directory + "/manifest.json";
}

/// The tree and its manifest, before the name that makes them a layer.
void make_durable(const std::string& directory, std::uint64_t entries) {
  if (os::is_quicker_as_a_whole(entries)) { // it waits for all that anybody wrote to this file system
    os::sync_file_system(directory);
  } else {
    os::sync_tree(directory);
  }
}

} // namespace

Staging::Staging(const Base& base) {
  for (int attempt = 0; attempt < 5 && !m_lock; ++attempt) { // a lock without a directory may be cleaned away
    const std::string name = os::random_hex(8);
    m_lock_path = base.staging() + "/" + name + ".lock";
    m_directory = base.staging() + "/" + name;
    m_lock = os::ExclusiveLock::try_lock(m_lock_path, "staging");
  }
  if (!m_lock) {
    throw Error(ErrorCode::internal, "the new lock {} is taken", m_lock_path);
  }
  os::crash_point("staging.locked");
  if (mkdir(m_directory.c_str(), 0700) != 0) {
    const int error_number = errno;
    std::ignore = unlink(m_lock_path.c_str());
    throw Error::from_errno(error_number, "create " + m_directory);
  }
}

Staging::Staging(Staging&& other) noexcept
    : m_directory(std::exchange(other.m_directory, {})), m_lock_path(std::exchange(other.m_lock_path, {})),
      m_lock(std::move(other.m_lock)) {
  other.m_lock.reset();
}

Staging::~Staging() {
  if (m_lock_path.empty()) {
    return;
  }
  try {
    if (!m_directory.empty()) {
      os::remove_tree(m_directory);
    }
    os::crash_point("staging.removed");
  } catch (const Error&) {
    return; // the garbage collector tries again: the lock file stays, unlocked
  }
  std::ignore = unlink(m_lock_path.c_str()); // the name is random and never used again
}

Json to_json(const LayerManifest& manifest) {
  return {
      {"digest", manifest.digest},
      {"entry_count", manifest.entry_count},
      {"size_bytes", manifest.size_bytes},
      {"created_at", manifest.created_at},
      {"kind", manifest.kind},
      {"created_by", manifest.created_by},
      {"layout_version", k_layout_version}};
}

LayerManifest manifest_from_json(const Json& value) {
  LayerManifest manifest;
  if (get_int(value, "layout_version") > k_layout_version) {
    throw Error(ErrorCode::bad_state, "the layer was made by a newer pyro");
  }
  manifest.digest = get_string(value, "digest");
  manifest.entry_count = static_cast<std::uint64_t>(get_int(value, "entry_count"));
  manifest.size_bytes = static_cast<std::uint64_t>(get_int(value, "size_bytes"));
  manifest.created_at = get_double(value, "created_at");
  manifest.kind = get_string(value, "kind");
  manifest.created_by = string_or(value, "created_by", "");
  return manifest;
}

struct LayerStore::Memory {
  int users = 0;
  std::map<HexDigest, LayerManifest> found;
};

LayerStore::LayerStore(Base base) : m_base(std::move(base)), m_memory(std::make_shared<Memory>()) {
}

LayerStore::Remembering::Remembering(const LayerStore& store) : m_memory(store.m_memory) {
  ++m_memory->users;
}

LayerStore::Remembering::~Remembering() {
  if (--m_memory->users == 0) {
    m_memory->found.clear();
  }
}

LayerManifest LayerStore::publish(
    Staging staging, const LayerInfo& info, os::Durable durable, const KnownContent& known) const {
  const TreeDigest content = digest_tree(staging.tree(), known);
  LayerManifest manifest{content.digest,  content.entry_count, content.size_bytes,
                         os::now_epoch(), info.kind,           info.created_by};
  os::write_json_atomically(manifest_path(staging.directory()), to_json(manifest), os::Durable::no);
  if (durable == os::Durable::yes) {
    make_durable(staging.directory(), content.entry_count);
  }
  os::crash_point("layer.staged");
  const std::string place = directory(content.digest);
  if (!rename_new(staging.directory(), place)) {
    if (const auto existing = find(content.digest)) {
      return *existing;
    }
    const Staging bin(m_base);
    std::ignore = detach(content.digest, bin); // damaged: gives way to the good one
    if (!rename_new(staging.directory(), place)) {
      return open(content.digest); // somebody else was quicker
    }
  }
  staging.m_directory.clear();
  os::crash_point("layer.published");
  if (durable == os::Durable::yes) {
    os::sync_directory(m_base.layers());
  }
  return manifest;
}

LayerManifest LayerStore::open(const HexDigest& digest) const {
  if (auto manifest = find(digest)) {
    return *manifest;
  }
  const std::string place = directory(digest);
  if (!os::exists(place)) {
    throw Error(ErrorCode::failed, "layer {} is not in the store", digest.substr(0, 12));
  }
  throw Error(ErrorCode::failed, "layer {} is damaged: no valid manifest in {}", digest.substr(0, 12), place)
      .with_hint("run `pyro store verify`");
}

std::optional<LayerManifest> LayerStore::find(const HexDigest& digest) const {
  const auto known = m_memory->found.find(digest);
  if (known != m_memory->found.end()) {
    return known->second;
  }
  auto manifest = read_manifest(digest);
  if (manifest && m_memory->users > 0) {
    m_memory->found.emplace(digest, *manifest);
  }
  return manifest;
}

std::optional<LayerManifest> LayerStore::read_manifest(const HexDigest& digest) const {
  const std::string place = directory(digest);
  const auto text = os::maybe_read_file(manifest_path(place), 64 << 10);
  if (!text || !os::is_directory(place + "/tree")) {
    return std::nullopt;
  }
  try {
    LayerManifest manifest = manifest_from_json(parse_json(*text, "layer manifest"));
    if (manifest.digest == digest) {
      return manifest;
    }
  } catch (const Error& error) {
    if (error.code() == ErrorCode::bad_state) {
      throw;
    }
  }
  return std::nullopt;
}

std::string LayerStore::directory(const HexDigest& digest) const {
  if (!is_digest(digest)) {
    throw Error(ErrorCode::invalid_argument, "invalid layer digest {:?}", digest);
  }
  return m_base.layers() + "/" + digest;
}

std::string LayerStore::tree(const HexDigest& digest) const {
  return directory(digest) + "/tree";
}

std::vector<std::string> LayerStore::trees(const std::vector<HexDigest>& digests) const {
  std::vector<std::string> result;
  for (const HexDigest& digest : digests) {
    result.push_back(tree(digest));
    if (!m_memory->found.contains(digest) && !os::exists(result.back())) {
      throw Error(ErrorCode::failed, "layer {} is not in the store {}", digest, m_base.layers())
          .with_hint("somebody removed it; a reset to a snapshot without it works, and `pyro destroy`");
    }
  }
  return result;
}

std::optional<std::string> LayerStore::verify(const HexDigest& digest) const {
  if (!os::exists(directory(digest))) {
    return "it is not in the store";
  }
  const auto manifest = read_manifest(digest);
  if (!manifest) {
    return "its manifest is missing or damaged";
  }
  const TreeDigest content = digest_tree(tree(digest));
  if (content.digest != digest) {
    return fmt::format("its content has the digest {}", content.digest);
  }
  if (content.entry_count != manifest->entry_count || content.size_bytes != manifest->size_bytes) {
    return "its manifest does not fit its content";
  }
  return std::nullopt;
}

std::vector<HexDigest> LayerStore::list() const {
  std::vector<std::string> names = os::list_directory(m_base.layers());
  std::erase_if(names, [](const std::string& name) { return !is_digest(name); });
  return names;
}

void LayerStore::remove(const HexDigest& digest) const {
  const Staging bin(m_base);
  std::ignore = detach(digest, bin);
}

std::optional<std::string> LayerStore::detach(const HexDigest& digest, const Staging& bin) const {
  std::string target = bin.directory() + "/" + digest;
  m_memory->found.erase(digest);
  if (::rename(directory(digest).c_str(), target.c_str()) != 0) {
    if (errno == ENOENT) {
      return std::nullopt;
    }
    throw Error::from_errno(errno, "move the layer " + digest + " out of the store");
  }
  return target;
}

bool is_digest(const std::string& text) {
  return text.size() == 64 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

} // namespace pyro::store
