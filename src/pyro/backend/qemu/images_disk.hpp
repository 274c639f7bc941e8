// The first disk of a guest: the images of its layers one after the other, without copying any. QEMU's vmdk
// driver puts together what a descriptor names ("Virtual Disk Format 5.0", flat extents).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace pyro::backend::qemu {

/// Every disk of images is this large, whatever is on it: a guest that was cloned finds the size it knew.
inline constexpr std::uint64_t k_images_disk_sectors = (64ULL << 30) / 512;

struct Extent {
  std::string path; // as QEMU sees it
  std::uint64_t sectors = 0;
};

/// The descriptor. `padding` is a file of at least the size of the disk that reads as zeros and fills the
/// rest. Throws Error(invalid_argument) where the images do not fit.
std::string images_descriptor(const std::vector<Extent>& extents, const std::string& padding);

} // namespace pyro::backend::qemu
