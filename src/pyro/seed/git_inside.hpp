// Seeds that take a checkout with its .git (mode `all`, or with its history), so that git can be used on the
// copy: which of our own exclusions would show there, and what keeps git from working there.
#pragma once

#include "scan.hpp"

#include <string>
#include <vector>

namespace pyro::seed {

/// Does the seed take the source's .git, and is this file (relative to the source) in its index? Then git
/// would call it deleted in a copy without it.
bool is_tracked_by_seeded_git(const SeedRequest& request, const std::string& path);

/// Every .git of the seed with which git does not find its repository, or not all of it, since it leads out
/// of the seed: worktrees, submodules taken alone, objects borrowed from another clone.
std::vector<SeedWarning> broken_git_in(const SeedScan& scan);

} // namespace pyro::seed
