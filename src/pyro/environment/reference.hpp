// An image's name taken apart, with where its files are. For the files of Environments only.
#pragma once

#include "image.hpp"

namespace pyro::environment {

inline ImageReference reference_of(
    const std::string& image, const std::string& directory, RegistryAccess access,
    Symlinks symlinks = Symlinks::inside) {
  auto reference = parse_image(image, directory);
  reference.access = access;
  find_source(reference, directory, symlinks);
  return reference;
}

} // namespace pyro::environment
