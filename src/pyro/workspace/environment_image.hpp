// What `environment.image` says, taken apart. Pure but for making paths absolute.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pyro::workspace {

enum class ImageKind { host, directory, archive, debian };

std::string_view name_of(ImageKind kind);

struct ImageReference {
  ImageKind kind = ImageKind::host;
  std::string text;    // as asked for
  std::string path;    // directory, archive: absolute and normal
  std::string variant; // debian: "", "base" or "build"

  /// The same image, however its path was spelled: "dir:/absolute".
  std::string canonical() const;
};

/// Relative paths are below `directory`. Error(unavailable) for images from registries, which this version
/// cannot pull, Error(invalid_argument) for what is no image at all.
ImageReference parse_image(const std::string& image, const std::string& directory);

/// The images that need no path: "host", "debian:12", ...
std::vector<std::string> available_images();

} // namespace pyro::workspace
