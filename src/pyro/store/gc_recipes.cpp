#include "gc_recipes.hpp"

#include <pyro/os/clock.hpp>

#include <algorithm>
#include <map>
#include <set>

namespace pyro::store {

namespace {

class Choice {
public:
  Choice(const GcOptions& options, const LayerStore& layers, References& needed)
      : m_options(options), m_layers(layers), m_needed(needed) {}

  std::vector<DoomedRecipe> run(const std::vector<RecipeRecord>& recipes) {
    for (const RecipeRecord& recipe : recipes) {
      if (m_needed.has_key(recipe.key)) {
        keep(recipe, {HolderKind::steps, recipe.workspace});
      }
    }
    for (const RecipeRecord& recipe : recipes) {
      if (m_needed.has_key(recipe.key)) {
        ++m_kept[{recipe.workspace, recipe.address}];
      } else if (is_of_image(recipe) && m_options.images == ImageKeep::in_use) {
        consider_image(recipe);
      } else {
        consider(recipe);
      }
    }
    return std::move(m_doomed);
  }

private:
  const RecipeRetention& retention_of(const RecipeRecord& recipe) const {
    const auto own = m_options.recipes_of.find(recipe.workspace);
    return is_of_image(recipe)                 ? k_images
           : own == m_options.recipes_of.end() ? m_options.recipes
                                               : own->second;
  }

  void keep(const RecipeRecord& recipe, GcHolding holder) {
    m_layers_of[recipe.workspace].insert(recipe.layers.begin(), recipe.layers.end());
    m_needed.add(std::move(holder), recipe.layers);
  }

  static GcHolding holder_of(const RecipeRecord& recipe) {
    if (!is_of_image(recipe)) {
      return {HolderKind::steps, recipe.workspace};
    }
    const auto image = recipe.address.substr(k_image_address.size());
    return {HolderKind::image, image.starts_with("oci-layer:") ? "layers" : image};
  }

  void consider_image(const RecipeRecord& recipe) {
    const bool is_used = std::all_of(
        recipe.layers.begin(), recipe.layers.end(), [&](const auto& layer) { return m_needed.has(layer); });
    if (!is_used) {
      m_doomed.push_back({recipe.key, "no workspace stands on it"});
    }
  }

  void consider(const RecipeRecord& recipe) {
    const auto& retention = retention_of(recipe);
    const bool is_one_of_few = ++m_kept[{recipe.workspace, recipe.address}] <= retention.keep;
    const bool fits =
        !retention.max_size || size_with(m_layers_of[recipe.workspace], recipe) <= *retention.max_size;
    const double end = recipe.last_used + std::chrono::duration<double>(retention.min_age).count();
    if (!(is_one_of_few && fits) && end <= m_now) {
      m_doomed.push_back(
          {recipe.key, is_one_of_few         ? "the layers of its workspace are larger than their limit"
                       : retention.keep == 0 ? "no workspace was made by it"
                                             : "newer ones are kept for the same step"});
      return;
    }
    auto holder = holder_of(recipe);
    holder.until = is_one_of_few && fits ? std::nullopt : std::optional(end);
    keep(recipe, std::move(holder));
  }

  std::uint64_t size_with(std::set<HexDigest> layers, const RecipeRecord& recipe) const {
    layers.insert(recipe.layers.begin(), recipe.layers.end());
    std::uint64_t bytes = 0;
    for (const HexDigest& digest : layers) {
      const auto manifest = m_layers.find(digest);
      bytes += manifest ? manifest->size_bytes : 0;
    }
    return bytes;
  }

  static inline const RecipeRetention k_images{3, std::chrono::hours(24), std::nullopt};

  const GcOptions& m_options;
  const LayerStore& m_layers;
  References& m_needed;
  double m_now = os::now_epoch();
  std::map<std::pair<std::string, std::string>, int> m_kept;
  std::map<std::string, std::set<HexDigest>> m_layers_of; // by the name of the workspace
  std::vector<DoomedRecipe> m_doomed;
};

} // namespace

std::vector<DoomedRecipe> choose_recipes(
    std::vector<RecipeRecord> recipes, const GcOptions& options, const LayerStore& layers,
    References& needed) {
  std::sort(recipes.begin(), recipes.end(), [](const RecipeRecord& one, const RecipeRecord& other) {
    return one.last_used > other.last_used;
  });
  return Choice(options, layers, needed).run(recipes);
}

} // namespace pyro::store
