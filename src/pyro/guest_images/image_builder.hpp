// EROFS images of trees, made by mkfs.erofs(1): what virtual machines mount as their read-only layers. Which
// trees: layer_images.hpp, host_images.hpp.
#pragma once

#include <pyro/environment/environment.hpp>
#include <pyro/store/layers.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace pyro::guest_images {

struct ImageSource {
  std::string what; // for messages: "layer 0123456789ab"
  std::string tree;
  HexDigest key;                       // the file system's UUID is made from it
  std::uint64_t expected_bytes = 0;    // for the check that there is room
  std::vector<std::string> excluded{}; // relative to the tree
  bool owned_by_root = false;          // whoever owns the files here
  bool public_only = false;            // as root too, no more is read than what everybody may
};

/// Makes the image and puts it at `path`, read-only and durable; whoever looks sees all of it or nothing.
/// Owners are those of the inside (os::IdSpace), times are kept, and the same tree gives the same bytes.
/// Nothing is done where it is there already. Error(disk_full), Error(unavailable) without mkfs.erofs.
void build_image(
    const store::Base& base, const ImageSource& source, const std::string& path,
    const environment::EnvironmentProgress& progress);

} // namespace pyro::guest_images
