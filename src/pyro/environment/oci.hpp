// The environments that are OCI images, wherever they come from: a registry, an archive or a layout on disk.
// Whatever it is becomes a layout first (skopeo.hpp), and that is imported
// (oci/import.hpp).
#pragma once

#include "cache.hpp"
#include "image.hpp"

#include <pyro/oci/layout.hpp>
#include <pyro/store/layers.hpp>

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace pyro::environment {

using OciLines = std::function<void(const std::string& line)>;

/// What became of an image.
struct OciEnvironment {
  HexDigest digest;
  std::vector<HexDigest> layers;
  Json details;
};

/// What an image wants of processes, as an environment's details keep it.
struct OciProcess {
  std::map<std::string, std::string> env;
  std::string user;
  std::string workdir;
};

OciProcess oci_process_of(const Json& details);

/// The environment's digest: the same image has the same one, wherever it comes from and however it is
/// packed.
HexDigest oci_environment_digest(const oci::OciImage& image);

/// Where the image's layout is: its own place, or `scratch`, where it is then copied to.
struct OciPlace {
  std::string path;
  std::string tag;
};

OciPlace fetch_oci_layout(const ImageReference& reference, const std::string& scratch, const OciLines& line);

/// Unpacks an archive of a layout ("oci-archive") to `directory`.
void unpack_oci_archive(const std::string& archive, const std::string& directory);

/// The layers of an image in the store, with one more on top where the image lacks what every sandbox needs
/// (mount points, root in /etc/passwd, /etc/hosts). The caller holds the store's shared lock.
OciEnvironment
import_oci_environment(const store::LayerStore& layers, const OciPlace& place, const OciLines& line);

} // namespace pyro::environment
