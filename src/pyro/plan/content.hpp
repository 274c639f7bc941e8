// What has to happen to the files of a workspace: decided from the two chains alone. Internal to plan/.
#pragma once

#include "observed.hpp"

#include <optional>
#include <vector>

namespace pyro::plan {

enum class ContentVerdict {
  same,     // it stands on what it should stand on
  kept,     // only the seed differs, and on_change is keep
  sync,     // only the seed differs, and on_change is sync
  stale,    // other layers: reset
  replaced, // another base image: replace
};

struct Content {
  ContentVerdict verdict = ContentVerdict::same;
  std::vector<Link> chain;              // to compare and record: with the old seed where it is kept
  std::optional<Difference> difference; // the first one, of the content only
};

Content judge_content(const std::vector<Link>& chain, const Observed& observed, spec::OnChange on_change);

/// Do the two differ in nothing but the tree of the seed?
bool only_seed_tree(const std::vector<Link>& before, const std::vector<Link>& after);

/// The chain without `services`.
std::vector<Link> content_links(const std::vector<Link>& chain);

} // namespace pyro::plan
