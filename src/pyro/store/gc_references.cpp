#include "gc_references.hpp"

#include "records.hpp"

#include <pyro/base/error.hpp>

#include <algorithm>

namespace pyro::store {

namespace {

struct Referred {
  std::vector<HexDigest> layers;
  std::vector<std::string> keys;

  void add(const std::vector<HexDigest>& more) { layers.insert(layers.end(), more.begin(), more.end()); }

  void add(const ContentBase& base) {
    add(base.layers.value_or(std::vector<HexDigest>{}));
    if (base.seed) {
      add(base.seed->below);
      add(base.seed->first);
      add(base.seed->last);
    }
  }
};

Referred references_of(const WorkspaceRecord& record) {
  Referred found;
  found.add(record.layers);
  found.add(record.base);
  found.keys.push_back(record.base.key);
  if (const auto& baseline = record.synced_baseline) {
    found.add(baseline->layers);
    found.add(baseline->below);
    found.add(baseline->first_seed);
  }
  if (record.undo) {
    found.add(record.undo->layers);
    found.add(record.undo->base);
  }
  for (const auto& link : record.links) {
    found.keys.push_back(link.is_object() ? string_or(link, "key", "") : "");
  }
  return found;
}

GcHolding holder_of(const WorkspaceRecord& record) {
  GcHolding holder{
      record.destroyed_at ? HolderKind::destroyed : HolderKind::workspace, record.name, record.id};
  if (record.destroyed_at && record.undo && record.undo->expires_at > 0) {
    holder.until = record.undo->expires_at;
  }
  return holder;
}

} // namespace

std::string_view name_of(HolderKind kind) {
  switch (kind) {
  case HolderKind::workspace:
    return "workspace";
  case HolderKind::destroyed:
    return "destroyed";
  case HolderKind::steps:
    return "steps";
  case HolderKind::image:
    break;
  }
  return "image";
}

void References::add_workspaces(const std::set<std::string>& without) {
  const WorkspaceRecords records(m_layers.base());
  std::vector<std::pair<GcHolding, Referred>> all;
  for (const std::string& id : records.ids()) {
    if (without.contains(id)) {
      continue;
    }
    try {
      const auto record = records.find(id);
      auto found = record ? references_of(*record) : Referred{};
      if (records.has_snapshots(id)) {
        for (const SnapshotRecord& snapshot : records.snapshots(id)) {
          found.add(snapshot.layers);
          found.keys.push_back(snapshot.key);
        }
      }
      auto holder = record ? holder_of(*record) : GcHolding{HolderKind::workspace, "", id};
      all.emplace_back(std::move(holder), std::move(found));
    } catch (const Error& error) {
      m_problems.push_back(
          fmt::format("layers: what workspace {} refers to is not known ({})", id, error.what()));
    }
  }
  std::stable_sort(all.begin(), all.end(), [](const auto& one, const auto& other) {
    return one.first.kind < other.first.kind; // what is destroyed holds only what no other one needs
  });
  for (auto& [holder, found] : all) {
    add(std::move(holder), found.layers);
    m_keys.insert(found.keys.begin(), found.keys.end());
  }
  m_keys.erase("");
}

void References::add(GcHolding holder, const std::vector<HexDigest>& layers) {
  auto known = std::find_if(m_holdings.begin(), m_holdings.end(), [&](const GcHolding& one) {
    return one.kind == holder.kind && one.name == holder.name && one.id == holder.id;
  });
  for (const HexDigest& layer : layers) {
    if (m_used.insert(layer).second) {
      const auto manifest = m_layers.find(layer);
      holder.bytes += manifest ? manifest->size_bytes : 0;
    }
  }
  if (known == m_holdings.end()) {
    m_holdings.push_back(std::move(holder));
    return;
  }
  known->bytes += holder.bytes;
  known->until =
      known->until && holder.until ? std::optional(std::max(*known->until, *holder.until)) : std::nullopt;
}

} // namespace pyro::store
