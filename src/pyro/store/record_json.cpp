// JSON of snapshots' records, and what all records have in common. Keys that this version does not know are
// ignored when read.
#include "enum_json.hpp"
#include "recipes.hpp"
#include "records.hpp"

#include <pyro/base/error.hpp>

namespace pyro::store {

namespace {

constexpr std::array k_kinds{SnapshotKind::baseline, SnapshotKind::named, SnapshotKind::managed};

} // namespace

std::string_view name_of(SnapshotKind kind) {
  switch (kind) {
  case SnapshotKind::baseline:
    return "baseline";
  case SnapshotKind::named:
    return "named";
  case SnapshotKind::managed:
    return "managed";
  }
  return "";
}

Json to_json(const SnapshotRecord& record) {
  return {
      {"layout_version", k_layout_version},
      {"snapshot_name", record.name},
      {"kind", name_of(record.kind)},
      {"created_at", record.created_at},
      {"sequence", record.sequence},
      {"layers", record.layers},
      {"host_directories", host_directories_to_json(record.host_directories)},
      {"digest", record.digest},
      {"parent", or_null(record.parent)},
      {"size_bytes", record.size_bytes},
      {"entry_count", record.entry_count},
      {"key", or_null(record.key)},
      {"outdated_by", or_null(record.outdated_by)}};
}

SnapshotRecord snapshot_from_json(const Json& value) {
  check_layout_version(value, "snapshot record");
  SnapshotRecord record;
  record.name = get_string(value, "snapshot_name");
  record.kind = enum_from(k_kinds, get_string(value, "kind"), "kind");
  record.created_at = get_double(value, "created_at");
  record.sequence = get_int(value, "sequence");
  record.layers = layers_from_json(value);
  record.host_directories = host_directories_from_json(value_at(value, "host_directories"));
  record.digest = get_string(value, "digest");
  if (record.digest != stack_digest(record.layers, record.host_directories)) {
    throw Error(ErrorCode::protocol, "the digest of snapshot {} does not fit its layers", record.name);
  }
  record.parent = string_or(value, "parent", "");
  record.size_bytes = static_cast<std::uint64_t>(get_int(value, "size_bytes"));
  record.entry_count = static_cast<std::uint64_t>(get_int(value, "entry_count"));
  record.key = string_or(value, "key", "");
  record.outdated_by = string_or(value, "outdated_by", "");
  return record;
}

HexDigest
stack_digest(const std::vector<HexDigest>& layers, const std::vector<HostDirectory>& host_directories) {
  Sha256 hash;
  hash.field("pyro stack 1").field(std::to_string(layers.size()));
  for (const HexDigest& layer : layers) {
    hash.field(layer);
  }
  for (const HostDirectory& directory : host_directories) {
    hash.field(directory.path).field(directory.at);
  }
  return hash.finish();
}

std::vector<HexDigest> layers_from_json(const Json& value, std::string_view key) {
  std::vector<HexDigest> layers = get_strings(value, key);
  for (const HexDigest& layer : layers) {
    if (!is_digest(layer)) {
      throw Error(ErrorCode::protocol, "\"{}\" holds {:?}, which is no digest", key, layer);
    }
  }
  return layers;
}

int check_layout_version(const Json& value, std::string_view what) {
  const std::int64_t version = get_int(value, "layout_version");
  if (version > k_layout_version) {
    throw Error(
        ErrorCode::bad_state, "the {} has layout version {}, this pyro knows {} at most", what, version,
        k_layout_version)
        .with_hint("use the newer pyro that wrote it");
  }
  if (version < 1) {
    throw Error(ErrorCode::protocol, "the {} has the impossible layout version {}", what, version);
  }
  return static_cast<int>(version);
}

} // namespace pyro::store
