#include "gc_images.hpp"

#include <pyro/os/directory.hpp>

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <map>

namespace pyro::store {

namespace {

struct Image {
  std::string name;
  double made_at = 0;
  std::uint64_t bytes = 0;
};

Image image_at(const std::string& directory, const std::string& name) {
  struct stat status {};

  Image image{name};
  if (lstat((directory + "/" + name).c_str(), &status) == 0) {
    image.made_at =
        static_cast<double>(status.st_mtim.tv_sec) + static_cast<double>(status.st_mtim.tv_nsec) * 1e-9;
    image.bytes = static_cast<std::uint64_t>(status.st_blocks) * 512;
  }
  return image;
}

/// "usr" of "host-KEY-usr"
std::string host_directory_of(const std::string& stem) {
  return stem.substr(std::min(stem.size(), stem.rfind('-') + 1));
}

} // namespace

std::vector<GcItem> unneeded_images(const LayerStore& layers) {
  const auto directory = layers.base().images();
  std::vector<GcItem> unneeded;
  std::map<std::string, Image> newest; // of each of this machine's directories
  const auto drop = [&](const Image& image, const char* reason) {
    unneeded.push_back({"image", image.name, image.bytes, reason});
  };
  for (const auto& name : os::list_directory(directory)) {
    const std::filesystem::path path(name);
    const auto stem = path.stem().string();
    if (path.extension() != ".erofs") {
      continue;
    }
    auto image = image_at(directory, name);
    if (is_digest(stem)) {
      if (!layers.find(stem)) {
        drop(image, "its layer is gone");
      }
      continue;
    }
    const auto [kept, first] = newest.try_emplace(host_directory_of(stem), image);
    if (!first) {
      if (image.made_at > kept->second.made_at) {
        std::swap(image, kept->second);
      }
      drop(image, "there is a newer one");
    }
  }
  return unneeded;
}

} // namespace pyro::store
