#include "synced_base.hpp"

#include "observe.hpp"

#include <pyro/base/error.hpp>

namespace pyro::workspace {

namespace {

HexDigest applied_seed_key(const store::WorkspaceRecord& record) {
  for (const auto& link : record.links) {
    if (const auto known = plan::link_from_json(link); known.point == "seed") {
      return known.key;
    }
  }
  return {};
}

LayerStack applied_seed(const Context& context, const store::WorkspaceRecord& record) {
  const auto recipe = context.recipes.find(applied_seed_key(record));
  const bool is_whole =
      recipe && std::all_of(recipe->layers.begin(), recipe->layers.end(), [&](const auto& layer) {
        return context.layers.find(layer).has_value();
      });
  if (!is_whole) {
    throw Error(ErrorCode::bad_state, "what the seed was at the last apply is in the store no more")
        .with_hint("`seed.on_change: reset` brings the new files in");
  }
  return {recipe->layers, recipe->host_directories};
}

/// The stack with one layer more, where the change changes anything.
LayerStack changed(const Context& context, LayerStack stack, const SeedChange& change) {
  if (const auto layer = seed_change_layer(context, stack, change)) {
    stack.layers.push_back(*layer);
  }
  return stack;
}

} // namespace

SyncedBase::SyncedBase(const Context& context, store::WorkspaceRecord& record)
    : m_context(context), m_record(record) {
  const auto base = record.metadata.value("base", Json());
  if (base.is_object() && base.contains("last_seed")) {
    const auto stack = [&](const char* name) -> LayerStack {
      return {store::layers_from_json({{"layers", value_at(base, name)}}), record.host_directories};
    };
    m_first = stack("first_seed");
    m_last = stack("last_seed");
    m_below = stack("below");
    return;
  }
  m_first = applied_seed(context, record);
  m_last = m_first;
  m_below = base_stack_of(record);
}

void SyncedBase::advance(const SeedChange& change) {
  m_last = change.after;
  m_record.metadata["base"] = {
      {"layers", changed(m_context, m_below, {m_first, m_last, change.root}).layers},
      {"below", m_below.layers},
      {"first_seed", m_first.layers},
      {"last_seed", m_last.layers}};
}

LayerStack SyncedBase::baseline(const SeedChange& change) {
  const auto now = m_context.records.snapshot(m_record.id, "baseline");
  auto& noted = m_record.metadata["baseline"];
  // One layer for all syncs: on top of what the first of them found, as long as nothing else made another
  // one.
  const bool goes_on = noted.is_object() && value_at(noted, "layers") == Json(now.layers);
  LayerStack below{now.layers, now.host_directories};
  LayerStack first = change.before;
  if (goes_on) {
    below.layers = store::layers_from_json({{"layers", value_at(noted, "below")}});
    first.layers = store::layers_from_json({{"layers", value_at(noted, "first_seed")}});
  }
  auto stack = changed(m_context, below, {first, change.after, change.root});
  noted = {{"layers", stack.layers}, {"below", below.layers}, {"first_seed", first.layers}};
  return stack;
}

void SyncedBase::note(const std::vector<plan::Link>& chain) {
  m_record.links = Json::array();
  for (const auto& link : chain) {
    m_record.links.push_back(plan::to_json(link));
  }
  m_record.base_key = plan::content_key(chain);
}

std::string relative_root(const std::string& path) {
  std::string relative;
  for (const auto& name : store::path_components(path)) {
    relative += (relative.empty() ? "" : "/") + name;
  }
  return relative;
}

} // namespace pyro::workspace
