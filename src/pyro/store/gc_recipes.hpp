// Which records of the recipe cache go: what workspaces were made by stays, of the rest what the retention
// says.
#pragma once

#include "gc_references.hpp"
#include "recipes.hpp"

#include <vector>

namespace pyro::store {

struct DoomedRecipe {
  std::string key;
  std::string reason;
};

/// Of these, the ones that go; the layers of the others are added to what is needed.
std::vector<DoomedRecipe> choose_recipes(
    std::vector<RecipeRecord> recipes, const GcOptions& options, const LayerStore& layers,
    References& needed);

} // namespace pyro::store
