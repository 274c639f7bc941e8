#include "environment_image.hpp"

#include <pyro/base/error.hpp>

#include <array>
#include <filesystem>

namespace pyro::workspace {

namespace {

constexpr std::string_view k_debian = "debian:12";

std::string absolute_path(const std::string& path, const std::string& directory) {
  auto whole = std::filesystem::absolute(std::filesystem::path(directory) / path).lexically_normal().string();
  while (whole.size() > 1 && whole.back() == '/') {
    whole.pop_back();
  }
  return whole;
}

ImageReference
with_path(ImageKind kind, const std::string& image, std::size_t prefix, const std::string& directory) {
  const auto path = image.substr(prefix);
  if (path.empty() || path.find('\0') != std::string::npos) {
    throw Error(ErrorCode::invalid_argument, "the image '{}' names no path", image)
        .with_hint("write dir:PATH or tar:PATH, for example dir:./rootfs");
  }
  return {kind, image, absolute_path(path, directory), {}};
}

} // namespace

std::string_view name_of(ImageKind kind) {
  constexpr std::array<std::string_view, 4> k_names{"host", "dir", "tar", "debian"};
  return k_names.at(static_cast<std::size_t>(kind));
}

std::string ImageReference::canonical() const {
  return path.empty() ? text : fmt::format("{}:{}", name_of(kind), path);
}

std::vector<std::string> available_images() {
  return {"host", "debian:12", "debian:12-base", "debian:12-build"};
}

ImageReference parse_image(const std::string& image, const std::string& directory) {
  if (image == "host") {
    return {ImageKind::host, image, {}, {}};
  }
  if (image.starts_with("dir:")) {
    return with_path(ImageKind::directory, image, 4, directory);
  }
  if (image.starts_with("tar:")) {
    return with_path(ImageKind::archive, image, 4, directory);
  }
  if (image == k_debian) {
    return {ImageKind::debian, image, {}, {}};
  }
  if (image == "debian:12-base" || image == "debian:12-build") {
    return {ImageKind::debian, image, {}, image.substr(k_debian.size() + 1)};
  }
  if (image.empty()) {
    throw Error(ErrorCode::invalid_argument, "the image is empty")
        .with_hint("try: host, debian:12, dir:PATH");
  }
  throw Error(
      ErrorCode::unavailable, "the image '{}' cannot be pulled: this version has no support for OCI images",
      image)
      .with_hint("these work: host, dir:PATH, tar:PATH, debian:12, debian:12-base, debian:12-build");
}

} // namespace pyro::workspace
