// Which images are installed in one state directory: a record for each; the content is in its layer store.
// Other state directories have their own.
#pragma once

#include "cache.hpp"

#include <pyro/base/json_access.hpp>
#include <pyro/base/sha256.hpp>
#include <pyro/store/layout.hpp>

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

class InstallRecords {
public:
  /// They lie in the cache of the user, in a folder of this state directory's own.
  InstallRecords(const EnvironmentCache& cache, const store::Base& base)
      : m_directory(cache.records_of(base.root())) {}

  /// nullopt: none, or damaged.
  std::optional<EnvironmentRecord> find(const HexDigest& digest) const;
  void save(const EnvironmentRecord& record) const;
  void remove(const HexDigest& digest) const;
  /// All readable ones; digests of damaged ones go to `damaged` where given.
  std::vector<EnvironmentRecord> list(std::vector<HexDigest>* damaged = nullptr) const;

  /// Where the record of this install is or would be.
  std::string path(const HexDigest& digest) const;

private:
  std::string m_directory;
};

} // namespace pyro::environment
