// What the last seed layers of a workspace were made from, so that a few changed files become a small layer
// on top of them. A cache: damaged or gone, the seed is copied as a whole.
#pragma once

#include "layer_builder.hpp"

#include <pyro/seed/entry.hpp>

#include <optional>
#include <string>
#include <vector>

namespace pyro::workspace {

struct SeedMemory {
  std::vector<HexDigest> below;  // the stack that the seed lies on
  std::vector<HexDigest> layers; // the seed's own, bottom to top
  std::string placement;         // where and as whom: another place or owner needs a whole copy
  seed::SeedManifest manifest;
};

/// nullopt: none, or not readable.
std::optional<SeedMemory> recall_seed(const std::string& workspace_directory);

/// `manifest` as SeedScan::manifest() gives it.
void remember_seed(
    const std::string& workspace_directory, const SeedMemory& memory, const std::string& manifest);

/// The files of the seed that was applied, where it was not built here and the memory above is of another.
void remember_applied_seed(const std::string& workspace_directory, const std::string& manifest);
/// With this tree digest, from either; nullopt: none.
std::optional<seed::SeedManifest>
recall_applied_seed(const std::string& workspace_directory, const HexDigest& tree_digest);

/// More layers than this on top of each other are folded into one whole copy.
inline constexpr std::size_t k_max_seed_layers = 8;

} // namespace pyro::workspace
