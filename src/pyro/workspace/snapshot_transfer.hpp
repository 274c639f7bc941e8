// Snapshots to other machines and from them, as OCI images. `workspace` is an id, a unique id prefix or a
// name; empty: the one of `project`.
#pragma once

#include <pyro/workspace/context/requests.hpp>

#include <string>

namespace pyro::workspace {

struct Context;

/// The snapshot as an OCI image: a layout (directory), or one in a file where output_path ends with ".tar".
/// Error(bad_state) where it stands on directories of this machine. {"workspace_id", "snapshot_name",
/// "output_path", "manifest", "layers", "packed_bytes"}
Json export_snapshot(
    Context& context, const std::string& workspace, const Project& project, const std::string& name,
    const std::string& output_path, const ImagePacking& packing);

/// The same into a registry. {..., "reference"}
Json push_snapshot(
    Context& context, const std::string& workspace, const Project& project, const std::string& name,
    const std::string& reference, const ImagePacking& packing);

/// An OCI image, in anything that environment.image takes for one, as a snapshot that reset can go to. The
/// name is the image's tag where none is given. {"workspace_id", "snapshot"}
Json import_snapshot(
    Context& context, const std::string& workspace, const Project& project, const std::string& source,
    const std::string& name);

} // namespace pyro::workspace
