#include "layout.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/inside.hpp>
#include <pyro/os/regular_file.hpp>
#include <pyro/os/tree_walk.hpp>

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <iterator>
#include <set>

namespace pyro::oci {

namespace {

/// An index may refer to indexes; nobody nests them deeper.
constexpr int k_max_index_depth = 4;
/// Read to find one image. Few kilobytes can refer to each other in billions of ways.
constexpr int k_max_indexes = 100;

bool fits(const OciPlatform& offered) {
  const auto wanted = host_platform();
  return offered.os == wanted.os && offered.architecture == wanted.architecture;
}

std::string read_beneath(const os::Fd& directory, const std::string& root, const std::string& name) {
  const auto file = os::maybe_open_regular_beneath(directory.get(), name);
  if (!file) {
    throw Error(ErrorCode::input_missing, "{} is no OCI image layout: it has no file {}", root, name);
  }
  return os::read_all(file->get(), k_max_oci_document);
}

} // namespace

OciLayout::OciLayout(const std::string& path) : m_path(path) {
  if (!os::is_directory(path)) {
    throw Error(ErrorCode::input_missing, "there is no OCI image layout at {}", path)
        .with_hint("`skopeo copy docker://IMAGE oci:DIRECTORY:TAG` makes one");
  }
  m_directory = os::open_found(path, O_RDONLY | O_DIRECTORY);
  const auto marker = read_beneath(m_directory, path, "oci-layout");
  std::string version;
  try {
    version = get_string(parse_json(marker, path + "/oci-layout"), "imageLayoutVersion");
  } catch (const Error& error) {
    throw Error(ErrorCode::invalid_argument, "{} is no OCI image layout: {}", path, error.message());
  }
  if (version != "1.0.0") {
    throw Error(ErrorCode::invalid_argument, "the OCI image layout {} is of version {}", path, version)
        .with_hint("this version of pyro reads 1.0.0");
  }
  m_index = parse_oci_index(read_beneath(m_directory, path, "index.json"), path + "/index.json");
}

os::Fd OciLayout::open_blob(const OciDescriptor& descriptor) const {
  auto file = os::maybe_open_regular_beneath(m_directory.get(), "blobs/sha256/" + descriptor.digest);
  if (!file) {
    throw Error(
        ErrorCode::input_missing, "{} lacks the blob sha256:{}", m_path, descriptor.digest.substr(0, 12))
        .with_hint("the image is not complete: copy it again");
  }

  struct stat status {};

  if (::fstat(file->get(), &status) != 0) {
    throw Error::from_errno(errno, "look at the blob " + descriptor.digest);
  }
  if (static_cast<std::uint64_t>(status.st_size) != descriptor.size) {
    throw Error(
        ErrorCode::invalid_argument, "the blob sha256:{} in {} has {} bytes instead of {}",
        descriptor.digest.substr(0, 12), m_path, status.st_size, descriptor.size);
  }
  return std::move(*file);
}

std::string OciLayout::read_document(const OciDescriptor& descriptor, const std::string& what) const {
  if (descriptor.size > k_max_oci_document) {
    throw Error(ErrorCode::invalid_argument, "the {} in {} is too long", what, m_path);
  }
  auto text = os::read_all(open_blob(descriptor).get(), k_max_oci_document);
  if (sha256_of(text) != descriptor.digest) {
    throw Error(
        ErrorCode::invalid_argument, "the {} in {} is damaged: its digest is not {}", what, m_path,
        descriptor.digest);
  }
  return text;
}

/// nullopt: there is nothing for this machine.
std::optional<OciDescriptor>
OciLayout::for_this_machine(const OciDescriptor& descriptor, int depth, int& indexes) const {
  if (!descriptor.is_index()) {
    return !descriptor.platform || fits(*descriptor.platform) ? std::optional(descriptor) : std::nullopt;
  }
  if (depth >= k_max_index_depth) {
    throw Error(ErrorCode::invalid_argument, "the indexes in {} are nested too deeply", m_path);
  }
  if (++indexes > k_max_indexes) {
    throw Error(
        ErrorCode::invalid_argument, "more than {} indexes in {} have to be read for one image",
        k_max_indexes, m_path)
        .with_hint("name the image by its tag");
  }
  const auto index = parse_oci_index(read_document(descriptor, "index"), "an index in " + m_path);
  for (const auto& manifest : index.manifests) {
    if (auto found = for_this_machine(manifest, depth + 1, indexes)) {
      return found;
    }
  }
  return std::nullopt;
}

OciImage OciLayout::load(const OciDescriptor& descriptor) const {
  OciImage image;
  image.descriptor = descriptor;
  image.manifest = parse_oci_manifest(read_document(descriptor, "manifest"), "the manifest in " + m_path);
  image.config = parse_oci_config(
      read_document(image.manifest.config, "configuration"), "the configuration in " + m_path);
  if (image.config.diff_ids.size() != image.manifest.layers.size()) {
    throw Error(
        ErrorCode::invalid_argument, "the image in {} has {} layers but {} DiffIDs", m_path,
        image.manifest.layers.size(), image.config.diff_ids.size());
  }
  if (!image.config.platform.os.empty() && !fits(image.config.platform)) {
    throw Error(
        ErrorCode::unavailable, "the image in {} is for {}, this machine is {}", m_path,
        to_string(image.config.platform), to_string(host_platform()));
  }
  return image;
}

std::vector<OciDescriptor> OciLayout::with_tag(const std::string& tag) const {
  std::vector<OciDescriptor> found;
  std::copy_if(
      m_index.manifests.begin(), m_index.manifests.end(), std::back_inserter(found),
      [&](const OciDescriptor& manifest) { return tag.empty() || manifest.ref_name == tag; });
  return found;
}

HexDigest OciLayout::digest(const std::string& tag) const {
  const auto found = with_tag(tag);
  return found.size() == 1 ? found.front().digest : image(tag).descriptor.digest;
}

OciImage OciLayout::image(const std::string& tag) const {
  const auto candidates = with_tag(tag);
  std::set<std::string> tags;
  for (const auto& manifest : m_index.manifests) {
    tags.insert(manifest.ref_name);
  }
  if (candidates.empty()) {
    throw Error(
        ErrorCode::not_found, "{} holds no image{}", m_path,
        tag.empty() ? "" : fmt::format(" with the tag '{}'", tag))
        .with_hint(fmt::format("there are: {}", fmt::join(tags, ", ")));
  }
  std::vector<OciDescriptor> fitting;
  int indexes = 0;
  for (const auto& candidate : candidates) {
    if (auto found = for_this_machine(candidate, 0, indexes)) {
      if (fitting.empty() || fitting.back().digest != found->digest) {
        fitting.push_back(std::move(*found));
      }
    }
  }
  if (fitting.empty()) {
    throw Error(ErrorCode::unavailable, "no image in {} is for {}", m_path, to_string(host_platform()));
  }
  if (fitting.size() > 1 && tag.empty()) {
    throw Error(ErrorCode::invalid_argument, "{} holds {} images", m_path, fitting.size())
        .with_hint(
            fmt::format("name one by its tag, oci:{}:TAG; there are: {}", m_path, fmt::join(tags, ", ")));
  }
  return load(fitting.front());
}

} // namespace pyro::oci
