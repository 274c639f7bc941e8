// How environments keep their layers in the store: a recipe record for each install. For the files of
// Environments only.
#pragma once

#include <pyro/base/sha256.hpp>
#include <pyro/store/recipes.hpp>

#include <algorithm>
#include <vector>

namespace pyro::environment {

inline std::string environment_recipe_key(const HexDigest& digest) {
  return Sha256().field("environment").field(digest).finish();
}

/// Does any of these stacks begin with these layers?
inline bool
any_stands_on(const std::vector<std::vector<HexDigest>>& stacks, const std::vector<HexDigest>& layers) {
  return std::any_of(stacks.begin(), stacks.end(), [&](const auto& stack) {
    return stack.size() >= layers.size() && std::equal(layers.begin(), layers.end(), stack.begin());
  });
}

} // namespace pyro::environment
