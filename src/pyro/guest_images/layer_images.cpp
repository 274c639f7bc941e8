#include "layer_images.hpp"

#include "image_builder.hpp"

namespace pyro::guest_images {

std::string LayerImages::image_of(const HexDigest& layer) const {
  const auto manifest = m_layers.open(layer);
  auto path = m_layers.base().layer_image(layer);
  build_image(
      m_layers.base(),
      {.what = "layer " + layer.substr(0, 12),
       .tree = m_layers.tree(layer),
       .key = layer,
       .expected_bytes = manifest.size_bytes},
      path, m_progress);
  return path;
}

std::vector<std::string> LayerImages::images_of(const std::vector<HexDigest>& layers) const {
  std::vector<std::string> paths;
  for (const auto& layer : layers) {
    paths.push_back(image_of(layer));
  }
  return paths;
}

} // namespace pyro::guest_images
