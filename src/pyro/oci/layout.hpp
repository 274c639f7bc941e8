// An OCI image layout: a directory with oci-layout, index.json and blobs by their digests. Read from anybody,
// so every document is checked against its digest and nothing is followed out of the directory. How layers
// get into the store: import.hpp; how such a directory is written: export.hpp.
#pragma once

#include "document.hpp"

#include <pyro/base/sha256.hpp>
#include <pyro/os/fd.hpp>

#include <optional>
#include <string>
#include <vector>

namespace pyro::oci {

/// One image of a layout, down to its configuration.
struct OciImage {
  OciDescriptor descriptor; // of the manifest
  OciManifest manifest;
  OciConfig config;
};

class OciLayout {
public:
  /// Error(input_missing) where there is none, Error(invalid_argument) where it is none of version 1.
  explicit OciLayout(const std::string& path);

  /// The image that has the tag; without a tag the only one there is. Of an image for several platforms the
  /// one for this machine. Error(not_found) names the tags there are.
  OciImage image(const std::string& tag) const;

  /// By which the image is known on all platforms: of what the index has under the tag. Where it has several,
  /// of the one for this machine.
  HexDigest digest(const std::string& tag) const;

  /// A blob for reading, from its beginning. Only its size is checked.
  os::Fd open_blob(const OciDescriptor& descriptor) const;

  const std::string& path() const { return m_path; }

private:
  std::vector<OciDescriptor> with_tag(const std::string& tag) const;
  std::string read_document(const OciDescriptor& descriptor, const std::string& what) const;
  std::optional<OciDescriptor>
  for_this_machine(const OciDescriptor& descriptor, int depth, int& indexes) const;
  OciImage load(const OciDescriptor& descriptor) const;

  std::string m_path;
  os::Fd m_directory;
  OciIndex m_index;
};

} // namespace pyro::oci
