// What a workspace counts as made from once its seed was synced: the stack that it was started on, and one
// layer with everything that was synced since. Drift is told against it, and reset goes to it where no
// snapshot says otherwise. Kept in the record (`base`, `synced_baseline`).
#pragma once

#include "seed_sync.hpp"

#include <pyro/plan/recipe.hpp>

namespace pyro::workspace {

class SyncedBase {
public:
  /// Of a locked workspace's record. Error(bad_state) where the seed of the last apply is in the store no
  /// more.
  SyncedBase(const Context& context, store::WorkspaceRecord& record);

  /// The seed that was brought in last, with all below it.
  const store::LayerStack& last_seed() const { return m_last; }

  /// Changes the base by the change that was synced; the record is not saved.
  void advance(const SeedChange& change);
  /// What the baseline becomes by the change; how it came to be is noted in the record, which is not saved.
  store::LayerStack baseline(const SeedChange& change);
  /// Notes what was applied; the record is not saved.
  void note(const std::vector<plan::Link>& chain);

private:
  const Context& m_context;
  store::WorkspaceRecord& m_record;
  store::LayerStack m_first; // the seed in m_below
  store::LayerStack m_last;
  store::LayerStack m_below; // the base without what was synced
};

/// Before another seed is noted as applied that was not brought in (seed.on_change: keep): notes which one
/// was brought in last, so that a later sync begins there. The record is not saved.
void keep_last_seed(
    const Context& context, store::WorkspaceRecord& record, const std::vector<plan::Link>& chain);

/// "/workspace" as a path relative to the root.
std::string relative_root(const std::string& path);

} // namespace pyro::workspace
