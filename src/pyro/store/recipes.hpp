// The recipe cache: from the key of a step, a seed or an image to the layers that it gave. A cache: a record
// that is missing, damaged or refers to layers that are gone is a miss.
#pragma once

#include "layered_view.hpp"
#include "layers.hpp"

#include <pyro/base/json_access.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pyro::store {

struct RecipeRecord {
  std::string key;               // a safe file name, usually a digest
  std::vector<HexDigest> layers; // the full stack, bottom to top
  std::vector<HostDirectory> host_directories;
  std::string address;   // of the step in its spec: "environment.setup[1]"
  std::string workspace; // name of the workspace it was made for
  Json inputs = Json::array();
  double created_at = 0;
  double last_used = 0;
  std::int64_t duration_ms = 0;
};

/// Begins the address of the recipes of images, with the image behind it; they are made for no workspace.
inline constexpr std::string_view k_image_address = "environment.image:";

inline bool is_of_image(const RecipeRecord& recipe) {
  return recipe.workspace.empty() && recipe.address.starts_with(k_image_address);
}

Json to_json(const RecipeRecord& record);
RecipeRecord recipe_from_json(const Json& value);
Json to_json(const HostDirectory& directory);
HostDirectory host_directory_from_json(const Json& value);
Json host_directories_to_json(const std::vector<HostDirectory>& directories);
std::vector<HostDirectory> host_directories_from_json(const Json& value);

enum class Touch { yes, no };

class RecipeCache {
public:
  explicit RecipeCache(LayerStore layers);

  /// nullopt: a miss. With Touch::yes `last_used` becomes now.
  std::optional<RecipeRecord> find(const std::string& key, Touch touch = Touch::yes) const;
  /// created_at and last_used are set where they are 0.
  void save(RecipeRecord record, os::Durable durable = os::Durable::yes) const;
  void remove(const std::string& key) const;
  /// All readable records; keys of damaged ones are appended to `damaged` where given. One of a newer pyro
  /// throws (bad_state).
  std::vector<RecipeRecord> list(std::vector<std::string>* damaged = nullptr) const;

private:
  struct Memory;

  std::string path(const std::string& key) const;
  std::optional<RecipeRecord> read(const std::string& key, const std::string& file) const;

  const Base& base() const { return m_layers.base(); }

  LayerStore m_layers;
  std::shared_ptr<Memory> m_memory; // of it and its copies
};

} // namespace pyro::store
