// The JSON documents of an OCI image: index, manifest, configuration, and Docker's forerunners of them. Pure:
// text in, checked values out. The files they lie in: layout.hpp.
#pragma once

#include <pyro/base/json_access.hpp>
#include <pyro/base/sha256.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pyro::oci {

/// Larger documents are refused before they are parsed.
inline constexpr std::size_t k_max_oci_document = 4 << 20;
/// More layers in one image are refused; Docker's own limit is 127.
inline constexpr std::size_t k_max_oci_layers = 256;

struct OciPlatform {
  std::string os;
  std::string architecture;
  std::string variant;

  bool operator==(const OciPlatform&) const = default;
};

/// "linux/amd64"
std::string to_string(const OciPlatform& platform);
/// The one of this machine, in the words of OCI.
OciPlatform host_platform();

/// What a blob is, and by which digest and size it is known.
struct OciDescriptor {
  std::string media_type;
  HexDigest digest; // SHA-256, without "sha256:"
  std::uint64_t size = 0;
  std::optional<OciPlatform> platform;
  std::string ref_name; // the tag, in the index of a layout

  /// An index of further manifests?
  bool is_index() const;
};

struct OciIndex {
  std::vector<OciDescriptor> manifests;
};

struct OciManifest {
  OciDescriptor config;
  std::vector<OciDescriptor> layers; // bottom to top
};

/// What an image wants of the processes in it.
struct OciConfig {
  OciPlatform platform;
  std::map<std::string, std::string> env;
  std::string user;
  std::string workdir;
  std::vector<std::string> entrypoint; // and the command; only shown
  std::vector<HexDigest> diff_ids;     // bottom to top
};

/// Error(invalid_argument) for anything malformed or over a limit. `what` names the document in it.
OciIndex parse_oci_index(std::string_view text, const std::string& what);
OciManifest parse_oci_manifest(std::string_view text, const std::string& what);
OciConfig parse_oci_config(std::string_view text, const std::string& what);

/// The documents that we write: the same values give the same bytes.
std::string to_text(const OciIndex& index);
std::string to_text(const OciManifest& manifest);
/// `history`: a line per layer.
std::string to_text(const OciConfig& config, const std::vector<std::string>& history);

inline constexpr std::string_view k_oci_index_type = "application/vnd.oci.image.index.v1+json";
inline constexpr std::string_view k_oci_manifest_type = "application/vnd.oci.image.manifest.v1+json";
inline constexpr std::string_view k_oci_config_type = "application/vnd.oci.image.config.v1+json";
inline constexpr std::string_view k_oci_layer_type = "application/vnd.oci.image.layer.v1.tar";

} // namespace pyro::oci
