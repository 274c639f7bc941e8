// What a collection did, and what the store holds, for people and programs.
#include "gc.hpp"
#include "layers.hpp"
#include "recipes.hpp"
#include "records.hpp"

namespace pyro::store {

Json to_json(const GcReport& report) {
  Json removed = Json::array();
  for (const GcItem& item : report.removed) {
    removed.push_back(
        {{"kind", item.kind}, {"name", item.name}, {"size_bytes", item.bytes}, {"reason", item.reason}});
  }
  return {
      {"removed", std::move(removed)},
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
  usage.recipes = RecipeCache(base).list().size();
  usage.workspaces = WorkspaceRecords(base).ids().size();
  return usage;
}

} // namespace pyro::store
