// pyro.lock beside a pyro.yaml: what its images were when they were looked up, so that everybody who has the
// checkout gets the same, or is told. Written by us, committed, and read from anybody.
#pragma once

#include <pyro/base/error.hpp>
#include <pyro/base/sha256.hpp>

#include <map>
#include <optional>
#include <string>

namespace pyro::workspace {

struct LockFile {
  /// environment::LockName → "sha256:…": "docker.io/library/node:22" as the registry has it for all
  /// platforms.
  std::map<std::string, std::string> images;
};

/// nullopt: there is none. Error(invalid_file) where it is none that this pyro can read.
std::optional<LockFile> read_lock(const std::string& directory);

/// What the file holds.
std::string lock_text(const LockFile& lock);

/// Error(permission) where a symlink is in its place, other errors where it cannot be written.
void write_lock(const std::string& directory, const LockFile& lock);

/// "docker.io/library/node@sha256:…" for the name "docker.io/library/node:22".
std::string exact_name(const std::string& name, const std::string& digest);

/// What a lock makes of the image of a file.
struct LockedImage {
  std::string name;       // by which it is in a lock; empty: nothing of it can be locked
  bool by_digest = false; // as environment::LockName
  std::string image;      // what is to be had: as it is written, or by its digest
  std::string wanted;     // what it has to be, "sha256:…"; empty: it has no entry, or is by digest
  bool has_lock = false;  // a file is there
  std::optional<Error> problem = {}; // why the file cannot be followed
  HexDigest digest = {};             // of the file; empty: none
};

/// `image` as it is written in a file in `directory`.
LockedImage locked_image(const std::string& image, const std::string& directory);

/// Error(invalid_file) where the lock wants another one than `here`, which is "sha256:…" or not known yet.
void require_locked(
    const LockedImage& image, const std::string& directory, const std::optional<std::string>& here);

} // namespace pyro::workspace
