// seed.on_change: sync: what changed in the seed since it was last brought in goes into the running
// workspace, all of it or nothing, through the agent. Files that were changed inside as well are left alone
// and named.
#pragma once

#include "layer_builder.hpp"

#include <pyro/protocol/file_change.hpp>
#include <pyro/store/layered_view.hpp>
#include <pyro/workspace/state/find_and_lock.hpp>

#include <optional>
#include <string>
#include <vector>

namespace pyro::workspace {

/// Two seeds, each with all layers below it.
struct SeedChange {
  store::LayerStack before;
  store::LayerStack after;
  std::string root; // where the seed lies, relative to the sandbox's root: "workspace"
};

struct SeedSynced {
  protocol::FileChangeResult counts;
  /// Absolute in the sandbox, quoted as git does where they are no UTF-8; sorted. A directory stands for all
  /// of the change below it.
  std::vector<std::string> conflicts;
};

/// Of a started workspace under its lock. What is there already is left as it is, so that a sync that was cut
/// off can be done again. Error(stale) where files inside change faster than they can be compared.
SeedSynced sync_seed(Context& context, const LockedWorkspace& workspace, const SeedChange& change);

/// The change as a layer on top of `base` (which holds what `before` does, and what was made of it),
/// published; nullopt where there is none. The caller holds the store's shared lock.
std::optional<HexDigest>
seed_change_layer(const Context& context, const store::LayerStack& base, const SeedChange& change);

} // namespace pyro::workspace
