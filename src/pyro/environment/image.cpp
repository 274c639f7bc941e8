#include "image.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/text.hpp>
#include <pyro/oci/document.hpp>
#include <pyro/os/inside.hpp>

#include <algorithm>
#include <array>
#include <filesystem>
#include <regex>

namespace pyro::environment {

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
        .with_hint("write a path behind the colon, for example dir:./rootfs");
  }
  return {kind, image, absolute_path(path, directory), {}, {}, {}};
}

/// "PATH:TAG", where the tag may be missing.
ImageReference
with_tag(ImageKind kind, const std::string& image, std::size_t prefix, const std::string& directory) {
  auto reference = with_path(kind, image, prefix, directory);
  const auto colon = image.rfind(':');
  if (colon >= prefix && image.find('/', colon) == std::string::npos) {
    reference.variant = image.substr(colon + 1);
    reference.path = absolute_path(image.substr(prefix, colon - prefix), directory);
    if (reference.variant.empty() || colon == prefix) {
      throw Error(ErrorCode::invalid_argument, "the image '{}' has a colon without a path or a tag", image);
    }
  }
  return reference;
}

/// "HOST/NAME:TAG@DIGEST" with the parts that are implied: as Docker reads it.
ImageReference in_registry(const std::string& image, const std::string& given) {
  static const std::regex grammar(R"(((?:[A-Za-z0-9][A-Za-z0-9.-]*|\[[0-9a-fA-F:]+\])(?::[0-9]+)?/)?)"
                                  R"(([a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*))"
                                  R"((:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@sha256:[0-9a-f]{64})?)");
  std::smatch parts;
  if (given.size() > 512 || !std::regex_match(given, parts, grammar)) {
    throw Error(ErrorCode::invalid_argument, "the image '{}' is no name of an image", image)
        .with_hint(
            "try: host, debian:12, alpine:3, registry.example/team/app:1, oci:PATH, dir:PATH, tar:PATH");
  }
  auto host = parts[1].str();
  auto name = parts[2].str();
  const bool is_host =
      host.find_first_of(".:") != std::string::npos || host == "localhost/" || host != lower_case(host);
  if (!host.empty() && !is_host) {
    name = host + name; // the first part of a name
    host.clear();
  }
  if (host.empty()) {
    host = "docker.io/";
  }
  if (host == "docker.io/" && name.find('/') == std::string::npos) {
    name = "library/" + name;
  }
  auto tag = parts[3].str();
  const auto digest = parts[4].str();
  tag = digest.empty() ? (tag.empty() ? ":latest" : tag) : ""; // a digest says more than a tag
  return {ImageKind::registry, image, {}, {}, {}, host + name + tag + digest};
}

} // namespace

void find_source(ImageReference& reference, const std::string& directory, Symlinks symlinks) {
  namespace fs = std::filesystem;
  if (reference.path.empty()) {
    return;
  }
  const auto top = absolute_path(".", directory);
  const auto relative = fs::path(reference.path).lexically_relative(top).string();
  const bool is_inside = !relative.empty() && relative != ".." && !relative.starts_with("../");
  if (symlinks == Symlinks::inside && is_inside) {
    reference.source = os::maybe_path_inside(top, relative).value_or(reference.path);
    return;
  }
  std::error_code error;
  const auto real = fs::weakly_canonical(reference.path, error).string();
  reference.source = error ? reference.path : real;
}

std::string_view name_of(ImageKind kind) {
  constexpr std::array<std::string_view, 8> k_names{"host",   "dir", "tar",         "debian",
                                                    "docker", "oci", "oci-archive", "docker-archive"};
  return k_names.at(static_cast<std::size_t>(kind));
}

bool is_oci(ImageKind kind) {
  return kind == ImageKind::registry || kind == ImageKind::oci || kind == ImageKind::oci_archive
         || kind == ImageKind::docker_archive;
}

std::string ImageReference::canonical() const {
  if (kind == ImageKind::registry) {
    return "docker://" + name;
  }
  if (path.empty()) {
    return text;
  }
  return fmt::format("{}:{}{}{}", name_of(kind), path, variant.empty() ? "" : ":", variant);
}

bool is_private_registry(const std::string& name) {
  constexpr std::array<std::string_view, 8> k_endings{
      ".localhost", ".local", ".localdomain", ".internal", ".lan", ".intranet", ".home", ".home.arpa"};
  auto host = lower_case(name.substr(0, name.find('/')));
  if (host.starts_with('[')) {
    return true; // an address of IPv6
  }
  host = host.substr(0, host.find(':'));
  while (host.ends_with('.')) {
    host.pop_back();
  }
  const auto last = host.substr(host.rfind('.') + 1);
  return host.find('.') == std::string::npos
         || last.find_first_not_of("0123456789") == std::string::npos // an address, however it is spelled
         || last.starts_with("0x")
         || std::any_of(k_endings.begin(), k_endings.end(), [&](auto end) { return host.ends_with(end); });
}

std::vector<std::string> available_images() {
  return {"host", "debian:12", "debian:12-base", "debian:12-build"};
}

ImageReference parse_image(const std::string& image, const std::string& directory) {
  if (image == "host") {
    return {ImageKind::host, image, {}, {}, {}, {}};
  }
  if (image.starts_with("dir:")) {
    return with_path(ImageKind::directory, image, 4, directory);
  }
  if (image.starts_with("tar:")) {
    return with_path(ImageKind::archive, image, 4, directory);
  }
  if (image.starts_with("oci:")) {
    return with_tag(ImageKind::oci, image, 4, directory);
  }
  if (image.starts_with("oci-archive:")) {
    return with_tag(ImageKind::oci_archive, image, 12, directory);
  }
  if (image.starts_with("docker-archive:")) {
    return with_tag(ImageKind::docker_archive, image, 15, directory);
  }
  if (image.starts_with("docker://")) {
    return in_registry(image, image.substr(9));
  }
  if (image == k_debian) {
    return {ImageKind::debian, image, {}, {}, {}, {}};
  }
  if (image == "debian:12-base" || image == "debian:12-build") {
    return {ImageKind::debian, image, {}, {}, image.substr(k_debian.size() + 1), {}};
  }
  if (image.empty()) {
    throw Error(ErrorCode::invalid_argument, "the image is empty")
        .with_hint("try: host, debian:12, alpine:3, dir:PATH");
  }
  return in_registry(image, image);
}

LockName lock_name(const std::string& image, const std::string& directory) {
  const auto reference = parse_image(image, directory);
  switch (reference.kind) {
  case ImageKind::registry: {
    const bool has_digest = reference.name.find('@') != std::string::npos;
    return {has_digest ? "" : reference.name, !has_digest, {}};
  }
  case ImageKind::debian:
    return {fmt::format("{} {}", reference.text, oci::to_string(oci::host_platform())), false, {}};
  case ImageKind::archive:
  case ImageKind::oci:
  case ImageKind::oci_archive:
  case ImageKind::docker_archive: {
    auto portable = reference;
    const auto written = image.substr(name_of(reference.kind).size() + 1);
    if (!written.starts_with('/')) {
      portable.path =
          std::filesystem::path(reference.path).lexically_relative(absolute_path(".", directory)).string();
    }
    return {portable.canonical(), false, {}};
  }
  case ImageKind::host:
    return {{}, false, "it is this machine's own root, which no other machine has"};
  case ImageKind::directory:
    return {{}, false, "it is what lies in the directory, with the owners and times of this machine"};
  }
  return {};
}

} // namespace pyro::environment
