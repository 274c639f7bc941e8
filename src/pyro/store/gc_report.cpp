// What a collection did, and what the store holds, for people and programs.
#include "gc.hpp"
#include "layers.hpp"
#include "recipes.hpp"
#include "records.hpp"

#include <pyro/os/id_space.hpp>
#include <pyro/os/tree_walk.hpp>

#include <sys/stat.h>

namespace pyro::store {

/// Files in sandboxes may have modes and owners that only their own id space can look at.
std::uint64_t bytes_below(const std::string& directory) {
  struct stat status {};

  if (lstat(directory.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) {
    return 0; // a symlink is one, wherever it leads
  }
  return os::IdSpace::current()
      .run([&directory]() -> Json {
        std::uint64_t bytes = 0;
        os::walk_tree(
            directory, os::TreeVisitor{
                           [&bytes](const os::TreeEntry& entry) {
                             bytes += static_cast<std::uint64_t>(entry.status.st_blocks) * 512;
                             return os::Visit::go_on;
                           },
                           {}});
        return bytes;
      })
      .get<std::uint64_t>();
}

Json to_json(const GcHolding& holding) {
  return {
      {"kind", name_of(holding.kind)},
      {"name", holding.name},
      {"workspace_id", or_null(holding.id)},
      {"size_bytes", holding.bytes},
      {"until", or_null(holding.until.value_or(0))}};
}

Json to_json(const GcReport& report) {
  Json removed = Json::array();
  for (const GcItem& item : report.removed) {
    removed.push_back(
        {{"kind", item.kind}, {"name", item.name}, {"size_bytes", item.bytes}, {"reason", item.reason}});
  }
  Json kept = Json::array();
  for (const GcHolding& holding : report.holdings) {
    if (holding.kind != HolderKind::workspace && holding.bytes > 0) {
      kept.push_back(to_json(holding));
    }
  }
  return {
      {"removed", std::move(removed)},
      {"kept", std::move(kept)},
      {"size_bytes", report.bytes},
      {"skipped", report.skipped},
      {"dry_run", report.dry_run}};
}

StoreUsage store_usage(const Base& base) {
  StoreUsage usage;
  const LayerStore layers(base);
  for (const HexDigest& digest : layers.list()) {
    ++usage.layers;
    if (const auto manifest = layers.find(digest)) {
      usage.layer_bytes += manifest->size_bytes;
    }
  }
  usage.recipes = RecipeCache(layers).list().size();
  usage.workspaces = WorkspaceRecords(base).ids().size();
  return usage;
}

} // namespace pyro::store
