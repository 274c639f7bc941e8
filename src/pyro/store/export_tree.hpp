// Copies a file or directory out of a stack of layers to this machine.
#pragma once

#include "export_area.hpp"
#include "layered_view.hpp"

#include <cstdint>
#include <string>

namespace pyro::store {

struct Exported {
  std::string artifact_type; // file, directory, symlink
  std::uint64_t entries = 0;
  std::uint64_t bytes = 0;
  std::uint64_t copied = 0;   // files that could not be reflinked
  std::uint64_t left_out = 0; // FIFOs, sockets, devices: never opened
  FileIdentity placed;        // of the output
};

/// `path` is relative to the stack's root. `output` (absolute) appears only when it is complete; all of it
/// belongs to whom we are. `notes` is what ExportArea wants. Throws `output_path already exists` and
/// `workspace path does not exist`.
Exported export_tree(
    const LayeredView& view, const std::string& path, const std::string& output, const std::string& notes);

/// The same into a directory that is ours alone, under a new name.
Exported copy_out(const LayeredView& view, const std::string& path, int directory, const std::string& name);

} // namespace pyro::store
