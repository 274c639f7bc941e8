#include "seed_memory.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/spare_save.hpp>
#include <pyro/os/atomic_file.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/store/records.hpp>

namespace pyro::workspace {

namespace {

constexpr std::size_t k_max_manifest = std::size_t{1} << 30;

std::string record_path(const std::string& directory) {
  return directory + "/seed.json";
}

std::string manifest_path(const std::string& directory) {
  return directory + "/seed.manifest";
}

std::string applied_path(const std::string& directory) {
  return directory + "/seed.applied";
}

std::optional<seed::SeedManifest> read_manifest(const std::string& path, const HexDigest& tree_digest) {
  try {
    auto bytes = os::maybe_read_file(path, k_max_manifest);
    if (!bytes) {
      return std::nullopt;
    }
    auto manifest = seed::decode_manifest(std::move(*bytes), path);
    return manifest.tree_digest == tree_digest ? std::optional(std::move(manifest)) : std::nullopt;
  } catch (const Error&) {
    return std::nullopt; // a cache: a plan then names no files
  }
}

} // namespace

void remember_applied_seed(const std::string& directory, const std::string& manifest) {
  save_spare(directory, [&] {
    os::write_file_atomically(applied_path(directory), manifest, 0600, os::Durable::no);
  });
}

std::optional<seed::SeedManifest>
recall_applied_seed(const std::string& directory, const HexDigest& tree_digest) {
  auto manifest = read_manifest(manifest_path(directory), tree_digest);
  return manifest ? std::move(manifest) : read_manifest(applied_path(directory), tree_digest);
}

std::optional<SeedMemory> recall_seed(const std::string& directory) {
  try {
    const auto text = os::maybe_read_file(record_path(directory), 1 << 20);
    auto bytes = os::maybe_read_file(manifest_path(directory), k_max_manifest);
    if (!text || !bytes) {
      return std::nullopt;
    }
    const auto record = parse_json(*text, "seed.json");
    SeedMemory memory;
    memory.below = store::layers_from_json({{"layers", value_at(record, "below")}});
    memory.layers = store::layers_from_json(record);
    memory.placement = get_string(record, "placement");
    memory.manifest = seed::decode_manifest(std::move(*bytes), "seed.manifest");
    // The two files are written one after the other: only a pair that belongs together counts.
    if (memory.manifest.tree_digest != get_string(record, "tree_digest")) {
      return std::nullopt;
    }
    return memory;
  } catch (const Error&) {
    return std::nullopt; // a cache: what cannot be read is made again
  }
}

void remember_seed(const std::string& directory, const SeedMemory& memory, const std::string& manifest) {
  save_spare(directory, [&] {
    os::write_file_atomically(manifest_path(directory), manifest, 0600, os::Durable::no);
    os::write_json_atomically(
        record_path(directory),
        {{"below", memory.below},
         {"layers", memory.layers},
         {"placement", memory.placement},
         {"tree_digest", memory.manifest.tree_digest}},
        os::Durable::no);
  });
}

} // namespace pyro::workspace
