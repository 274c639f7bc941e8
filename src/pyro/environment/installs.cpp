#include "installs.hpp"

#include "cached_record.hpp"

#include <pyro/os/atomic_file.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/store/layers.hpp>

#include <filesystem>

namespace pyro::environment {

namespace {

constexpr std::int64_t k_record_version = 1;

std::vector<HexDigest> get_digests(const Json& object, std::string_view key) {
  auto digests = get_strings(object, key);
  for (const auto& digest : digests) {
    if (!store::is_digest(digest)) {
      throw Error(ErrorCode::protocol, "'{}' holds '{}', which is no digest", key, digest);
    }
  }
  return digests;
}

} // namespace

Json to_json(const EnvironmentRecord& record) {
  return {
      {"version", k_record_version},
      {"digest", record.digest},
      {"image", record.image},
      {"kind", record.kind},
      {"layers", record.layers},
      {"host_dirs", record.host_dirs},
      {"created_at", record.created_at},
      {"size_bytes", record.size_bytes},
      {"entry_count", record.entry_count},
      {"details", record.details}};
}

EnvironmentRecord environment_record_from_json(const Json& value) {
  if (get_int(value, "version") != k_record_version) {
    throw Error(ErrorCode::protocol, "an environment record of another version");
  }
  EnvironmentRecord record;
  record.digest = get_string(value, "digest");
  record.image = get_string(value, "image");
  record.kind = get_string(value, "kind");
  record.layers = get_digests(value, "layers");
  record.host_dirs = get_strings(value, "host_dirs");
  record.created_at = get_double(value, "created_at");
  record.size_bytes = static_cast<std::uint64_t>(get_int(value, "size_bytes"));
  record.entry_count = static_cast<std::uint64_t>(get_int(value, "entry_count"));
  record.details = value_at(value, "details");
  for (const auto& name : record.host_dirs) {
    if (!store::is_safe_name(name)) {
      throw Error(ErrorCode::protocol, "'{}' is no top-level directory", name);
    }
  }
  if (record.layers.empty() || !record.details.is_object()) {
    throw Error(ErrorCode::protocol, "an environment record without layers or details");
  }
  return record;
}

std::optional<EnvironmentRecord> InstallRecords::find(const HexDigest& digest) const {
  auto record = read_or_miss<EnvironmentRecord>(path(digest), environment_record_from_json);
  return record && record->digest == digest ? record : std::nullopt;
}

void InstallRecords::save(const EnvironmentRecord& record) const {
  os::write_json_atomically(path(record.digest), to_json(record));
}

void InstallRecords::remove(const HexDigest& digest) const {
  remove_record(path(digest));
}

std::vector<EnvironmentRecord> InstallRecords::list(std::vector<HexDigest>* damaged) const {
  std::vector<EnvironmentRecord> records;
  for (const auto& name : os::list_directory(m_directory)) {
    const std::filesystem::path file(name);
    const auto digest = file.stem().string();
    if (file.extension() != k_record_suffix || !store::is_digest(digest)) {
      continue;
    }
    if (auto record = find(digest)) {
      records.push_back(std::move(*record));
    } else if (damaged) {
      damaged->push_back(digest);
    }
  }
  return records;
}

std::string InstallRecords::path(const HexDigest& digest) const {
  if (!store::is_digest(digest)) {
    throw Error(ErrorCode::invalid_argument, "'{}' is no digest of an environment", digest);
  }
  return fmt::format("{}/{}{}", m_directory, digest, k_record_suffix);
}

} // namespace pyro::environment
