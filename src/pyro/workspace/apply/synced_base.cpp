#include "synced_base.hpp"

#include <pyro/base/error.hpp>
#include <pyro/workspace/state/drift.hpp>

namespace pyro::workspace {

namespace {

HexDigest seed_key(const std::vector<plan::Link>& chain) {
  for (const auto& link : chain) {
    if (link.point == "seed") {
      return link.key;
    }
  }
  return {};
}

HexDigest applied_seed_key(const store::WorkspaceRecord& record) {
  return seed_key(plan::chain_from_json(record.links));
}

/// nullopt: it is not in the store, or not all of it.
std::optional<store::LayerStack> stored_seed(const Context& context, const HexDigest& key) {
  const auto recipe = context.recipes.find(key);
  const bool is_whole =
      recipe && std::all_of(recipe->layers.begin(), recipe->layers.end(), [&](const auto& layer) {
        return context.layers.find(layer).has_value();
      });
  return is_whole ? std::optional(store::LayerStack{recipe->layers, recipe->host_directories}) : std::nullopt;
}

store::LayerStack applied_seed(const Context& context, const store::WorkspaceRecord& record) {
  const auto seed = stored_seed(context, applied_seed_key(record));
  if (!seed) {
    throw Error(ErrorCode::bad_state, "what the seed was at the last apply is in the store no more")
        .with_hint("`seed.on_change: reset` brings the new files in");
  }
  return *seed;
}

/// The stack with one layer more, where the change changes anything.
store::LayerStack changed(const Context& context, store::LayerStack stack, const SeedChange& change) {
  if (const auto layer = seed_change_layer(context, stack, change)) {
    stack.layers.push_back(*layer);
  }
  return stack;
}

} // namespace

SyncedBase::SyncedBase(const Context& context, store::WorkspaceRecord& record)
    : m_context(context), m_record(record) {
  if (const auto& seed = record.base.seed) {
    m_first = {seed->first, record.host_directories};
    m_last = {seed->last, record.host_directories};
    m_below = {seed->below, record.host_directories};
    return;
  }
  m_first = applied_seed(context, record);
  m_last = m_first;
  m_below = base_stack_of(record);
}

void SyncedBase::advance(const SeedChange& change) {
  m_last = change.after;
  m_record.base.layers = changed(m_context, m_below, {m_first, m_last, change.root}).layers;
  m_record.base.seed = store::SyncedSeed{m_below.layers, m_first.layers, m_last.layers};
}

store::LayerStack SyncedBase::baseline(const SeedChange& change) {
  const auto now = m_context.records.snapshot(m_record.id, "baseline");
  auto& noted = m_record.synced_baseline;
  // One layer for all syncs: on top of what the first of them found, as long as nothing else made another
  // one.
  const bool goes_on = noted && noted->layers == now.layers;
  store::LayerStack below{goes_on ? noted->below : now.layers, now.host_directories};
  store::LayerStack first = change.before;
  if (goes_on) {
    first.layers = noted->first_seed;
  }
  auto stack = changed(m_context, below, {first, change.after, change.root});
  noted = store::SyncedBaseline{stack.layers, below.layers, first.layers};
  return stack;
}

void SyncedBase::note(const std::vector<plan::Link>& chain) {
  m_record.links = plan::to_json(chain);
  m_record.base.key = plan::content_key(chain);
}

void keep_last_seed(
    const Context& context, store::WorkspaceRecord& record, const std::vector<plan::Link>& chain) {
  const auto applied = applied_seed_key(record);
  if (record.base.seed || applied.empty() || applied == seed_key(chain)) {
    return;
  }
  if (const auto seed = stored_seed(context, applied)) {
    record.base.seed = store::SyncedSeed{base_stack_of(record).layers, seed->layers, seed->layers};
  }
}

std::string relative_root(const std::string& path) {
  std::string relative;
  for (const auto& name : store::path_components(path)) {
    relative += (relative.empty() ? "" : "/") + name;
  }
  return relative;
}

} // namespace pyro::workspace
