// A stack of layers as an OCI image layout: every layer a tar whose bytes depend on nothing but its tree, so
// equal trees have equal digests wherever they are exported.
#pragma once

#include "document.hpp"

#include <pyro/os/packed_stream.hpp>
#include <pyro/store/layers.hpp>

#include <functional>
#include <string>
#include <vector>

namespace pyro::oci {

struct OciExport {
  std::vector<HexDigest> layers; // ours, bottom to top
  std::string tag;
  OciConfig process; // env, user and workdir of the image; the rest is filled in
  os::Compression compression = os::Compression::gzip;
};

struct OciExportReport {
  HexDigest manifest;
  HexDigest config;
  std::vector<OciDescriptor> layers;
  std::uint64_t packed_bytes = 0;
};

/// Writes the layout into `directory`, which exists and is empty. The caller holds the store's shared lock.
/// Error(invalid_argument) for names that OCI cannot express (".wh.x").
OciExportReport export_oci_layout(
    const store::LayerStore& layers, const OciExport& wanted, const std::string& directory,
    const std::function<void(const std::string& line)>& progress = {});

} // namespace pyro::oci
