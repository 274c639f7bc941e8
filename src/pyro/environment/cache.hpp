// What every state directory of a user may know of images: digests remembered for files that did not change,
// downloads under way, and which state directories there are. Which images one of them has: installs.hpp.
#pragma once

#include <pyro/base/json_access.hpp>
#include <pyro/base/sha256.hpp>
#include <pyro/os/fd.hpp>

#include <sys/stat.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pyro::environment {

class EnvironmentCache {
public:
  explicit EnvironmentCache(std::string directory);

  /// Creates the directories, private to the user.
  void prepare() const;

  /// A digest remembered for `subject` ("file /var/lib/dpkg/status", "image debian:12") under the same stamp.
  std::optional<HexDigest> known(const std::string& subject, const std::string& stamp) const;
  void remember(const std::string& subject, const std::string& stamp, const HexDigest& digest) const;
  void forget(const std::string& subject) const;

  /// SHA-256 of a file, read only when it is not as it was the last time.
  HexDigest digest_of_file(const std::string& path) const;
  /// Of one that is open already; `path` is its name.
  HexDigest digest_of_file(const os::Fd& file, const std::string& path) const;

  /// Where records of this state directory lie: installs.hpp.
  std::string records_of(const std::string& home) const;
  /// Creates it.
  void prepare_records_of(const std::string& home) const;
  /// The state directories but `home` that have such a place and are still there; that of others is removed.
  /// Of one that is just being made it is the place.
  std::vector<std::string> other_homes(const std::string& home) const;

  /// The lock held while this image is installed.
  std::string lock_path(const std::string& image) const;

  /// Of pyro's in the user's cache; what lies in it: directory() and nothing else.
  const std::string& root() const { return m_root; }

  const std::string& directory() const { return m_directory; }

private:
  std::string known_path(const std::string& subject) const;

  std::string m_root;
  std::string m_directory;
};

/// Changes when a file does: device, inode, size, times.
std::string stamp_of(const struct stat& status);

/// How long a later change of a file might leave the same stamp: the kernel stamps with its clock tick, 1 to
/// 10 ms.
constexpr std::chrono::milliseconds k_freshness{50};

/// True where the file changed so lately that a later change might leave the same stamp.
bool is_too_fresh(const struct stat& status);

} // namespace pyro::environment
