// How environments keep their layers in the store: a recipe record for each install. For the files of
// Environments only.
#pragma once

#include <pyro/base/sha256.hpp>
#include <pyro/store/recipes.hpp>

#include <algorithm>
#include <string_view>
#include <vector>

namespace pyro::environment {

/// The address of such records, with the image behind it. No workspace has this name.
inline constexpr std::string_view k_environment_address = "environment.image:";

inline std::string environment_recipe_key(const HexDigest& digest) {
  return Sha256().field("environment").field(digest).finish();
}

inline bool is_environment_recipe(const store::RecipeRecord& recipe) {
  return recipe.workspace.empty() && recipe.address.starts_with(k_environment_address);
}

/// Does any of these stacks begin with these layers?
inline bool
any_stands_on(const std::vector<std::vector<HexDigest>>& stacks, const std::vector<HexDigest>& layers) {
  return std::any_of(stacks.begin(), stacks.end(), [&](const auto& stack) {
    return stack.size() >= layers.size() && std::equal(layers.begin(), layers.end(), stack.begin());
  });
}

} // namespace pyro::environment
