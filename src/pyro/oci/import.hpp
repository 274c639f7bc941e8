// OCI layers into the store: one layer of ours for each, found again by its digests, so that images share
// what they have in common. Digests of the archive and of what is in it are checked before a layer exists.
#pragma once

#include "layout.hpp"

#include <pyro/store/layers.hpp>
#include <pyro/store/recipes.hpp>

#include <functional>
#include <string>
#include <vector>

namespace pyro::oci {

/// Recipe records of imported layers have this address with the DiffID behind it; no workspace has it.
inline constexpr std::string_view k_oci_layer_address = "environment.image:oci-layer:";

/// A layer of an image: the digest of its archive, and of that as it is packed.
struct OciLayerId {
  HexDigest diff_id;
  HexDigest packed;
};

struct OciImportReport {
  std::vector<HexDigest> layers; // ours, bottom to top
  std::uint64_t imported = 0;    // were not there before
  std::uint64_t dropped_xattrs = 0;
  std::uint64_t left_out = 0; // devices, FIFOs, sockets
};

/// A line for each layer that has to be unpacked.
using OciProgress = std::function<void(const std::string& line)>;

/// Brings all layers of the image into the store. Takes the store's shared lock for each layer it publishes;
/// the caller holds it too until a record refers to them, or looks afterwards whether all are there.
OciImportReport import_oci_layers(
    const store::LayerStore& layers, const OciLayout& layout, const OciImage& image,
    const OciProgress& progress);

/// Remembers that a layer of ours packs to these digests, so that it is found instead of unpacked.
void remember_oci_layer(const store::LayerStore& layers, const OciLayerId& id, const HexDigest& layer);

} // namespace pyro::oci
