// What is known of environments between processes: a record per install and digests remembered for files that
// did not change. Only records; the content is in the layer store.
#pragma once

#include <pyro/base/json_access.hpp>
#include <pyro/base/sha256.hpp>
#include <pyro/os/fd.hpp>

#include <sys/stat.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pyro::environment {

/// One install. It counts only while every layer is there.
struct EnvironmentRecord {
  HexDigest digest;
  std::string image; // ImageReference::canonical()
  std::string kind;
  std::vector<HexDigest> layers;
  std::vector<std::string> host_dirs;
  double created_at = 0;
  std::uint64_t size_bytes = 0;
  std::uint64_t entry_count = 0;
  Json details = Json::object();
};

Json to_json(const EnvironmentRecord& record);
EnvironmentRecord environment_record_from_json(const Json& value);

class EnvironmentCache {
public:
  explicit EnvironmentCache(std::string directory);

  /// Creates the directories, private to the user.
  void prepare() const;

  /// nullopt: none, or damaged.
  std::optional<EnvironmentRecord> find(const HexDigest& digest) const;
  void save(const EnvironmentRecord& record) const;
  void remove(const HexDigest& digest) const;
  /// All readable ones; digests of damaged ones go to `damaged` where given.
  std::vector<EnvironmentRecord> list(std::vector<HexDigest>* damaged = nullptr) const;

  /// A digest remembered for `subject` ("file /var/lib/dpkg/status", "image debian:12") under the same stamp.
  std::optional<HexDigest> known(const std::string& subject, const std::string& stamp) const;
  void remember(const std::string& subject, const std::string& stamp, const HexDigest& digest) const;
  void forget(const std::string& subject) const;

  /// SHA-256 of a file, read only when it is not as it was the last time.
  HexDigest digest_of_file(const std::string& path) const;
  /// Of one that is open already; `path` is its name.
  HexDigest digest_of_file(const os::Fd& file, const std::string& path) const;

  /// Where the record of this install is or would be.
  std::string record_path(const HexDigest& digest) const;

  /// The lock held while this image is installed.
  std::string lock_path(const std::string& image) const;

  const std::string& directory() const { return m_directory; }

private:
  std::string known_path(const std::string& subject) const;

  std::string m_root;
  std::string m_directory;
};

/// Changes when a file does: device, inode, size, times.
std::string stamp_of(const struct stat& status);

/// True where the file changed so lately that a later change might leave the same stamp.
bool is_too_fresh(const struct stat& status);

} // namespace pyro::environment
