// The memory of machines whose services were ready, kept beside a snapshot (snapshots.<name>.memory): a reset
// to it goes on there instead of starting the services again. A cache: without it everything works, slower.
#pragma once

#include "find_and_lock.hpp"

#include <pyro/spec/spec.hpp>
#include <pyro/store/layer_stack.hpp>

#include <optional>
#include <string>

namespace pyro::workspace {

/// A start that goes on in `directory` needs the layers that the machine ran on then.
struct KeptMemory {
  std::string directory;
  std::vector<HexDigest> layers;
};

/// What was kept of this very snapshot's content; nullopt: nothing.
std::optional<KeptMemory>
kept_memory(const store::WorkspacePaths& paths, const store::SnapshotRecord& snapshot);

/// Keeps the memory of a workspace that runs on the snapshot's content with its services ready, if the file
/// wants it and the backend can; the sandbox stands still for a moment. What stands in the way is an event,
/// and an error where the file says `memory: true`.
void save_machine_memory(
    Context& context, LockedWorkspace& workspace, const spec::Spec& spec, const std::string& snapshot_name);

void forget_memory(const store::WorkspacePaths& paths, const std::string& snapshot_name);

} // namespace pyro::workspace
