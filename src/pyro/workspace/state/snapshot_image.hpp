// Snapshots as OCI images, out of the store and into it. The images themselves: oci/export.hpp,
// environment/oci.hpp.
#pragma once

#include <pyro/environment/oci.hpp>
#include <pyro/oci/export.hpp>
#include <pyro/store/layer_stack.hpp>
#include <pyro/workspace/context/context.hpp>
#include <pyro/workspace/context/requests.hpp>

#include <string>

namespace pyro::workspace {

/// Throws Error(bad_state) for a snapshot that cannot leave this machine.
oci::OciExport image_of(
    const store::WorkspaceRecord& workspace, const store::SnapshotRecord& snapshot,
    const ImagePacking& packing);

/// Writes a layout, or an archive of one where `output` ends with ".tar". It appears only when it is complete
/// and durable; Error(already_exists) where there is something.
oci::OciExportReport export_image(Context& context, const oci::OciExport& image, const std::string& output);

/// Of a registry; a tag is needed. Error(invalid_argument) for what is no name in a registry.
environment::ImageReference registry_reference(const std::string& reference);

oci::OciExportReport
push_image(Context& context, const oci::OciExport& image, const environment::ImageReference& reference);

struct ImportedImage {
  store::LayerStack stack;
  std::string tag; // by which it was found
};

/// `source`: a file or directory, or anything that environment.image takes for an OCI image. The caller holds
/// the store's shared lock.
ImportedImage import_image(Context& context, const std::string& source);

} // namespace pyro::workspace
