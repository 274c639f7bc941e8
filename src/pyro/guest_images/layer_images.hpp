// The EROFS image of a layer, made when a virtual machine first needs it and kept beside the store until the
// layer goes (store/gc.cpp).
#pragma once

#include <pyro/environment/environment.hpp>
#include <pyro/store/layers.hpp>

#include <string>
#include <vector>

namespace pyro::guest_images {

class LayerImages {
public:
  LayerImages(const store::LayerStore& layers, environment::EnvironmentProgress progress)
      : m_layers(layers), m_progress(std::move(progress)) {}

  /// The path of the image, made where it is missing. Several processes may ask at once. As for every use of
  /// layers the caller holds store::lock_store_shared() until a record refers to it. Error(not_found) where
  /// there is no such layer.
  std::string image_of(const HexDigest& layer) const;
  /// The same for a stack, bottom to top.
  std::vector<std::string> images_of(const std::vector<HexDigest>& layers) const;

private:
  store::LayerStore m_layers;
  environment::EnvironmentProgress m_progress;
};

} // namespace pyro::guest_images
