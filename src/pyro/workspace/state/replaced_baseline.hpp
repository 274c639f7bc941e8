// The baseline's record while the content that it is of is being made. It is written before that content is
// there, so that a process killed in between leaves no workspace without one; until then the one before it is
// kept beside it, and comes back where the content did not.
#pragma once

#include "snapshots.hpp"

#include <optional>
#include <string>

namespace pyro::workspace {

class ReplacedBaseline {
public:
  /// Records `stack` as the baseline of a locked workspace whose generation is about to change.
  ReplacedBaseline(
      Context& context, LockedWorkspace& workspace, const store::LayerStack& stack, const HexDigest& key);
  /// Without keep() the one before comes back.
  ~ReplacedBaseline();
  ReplacedBaseline(const ReplacedBaseline&) = delete;
  ReplacedBaseline& operator=(const ReplacedBaseline&) = delete;

  /// The content is there.
  void keep();

private:
  Context& m_context;
  store::WorkspacePaths m_paths;
  store::WorkspaceRecord m_before;
  bool m_kept = false;
};

/// Did a killed process leave one of which nobody knows whether its content was made?
bool has_interrupted_baseline(const store::WorkspacePaths& paths);

/// Brings the one before back where the generation is still the one that it was of. The caller holds the
/// lock.
void recover_baseline(
    const Context& context, const store::WorkspacePaths& paths, const store::WorkspaceRecord& record);

} // namespace pyro::workspace
