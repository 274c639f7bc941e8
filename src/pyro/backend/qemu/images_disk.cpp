#include "images_disk.hpp"

#include <pyro/base/error.hpp>

namespace pyro::backend::qemu {

std::string images_descriptor(const std::vector<Extent>& extents, const std::string& padding) {
  std::string text = "# Disk DescriptorFile\n"
                     "version=1\n"
                     "CID=fffffffe\n"
                     "parentCID=ffffffff\n"
                     "createType=\"monolithicFlat\"\n";
  std::uint64_t used = 0;
  for (const auto& extent : extents) {
    text += fmt::format("RW {} FLAT \"{}\" 0\n", extent.sectors, extent.path);
    used += extent.sectors;
  }
  if (used >= k_images_disk_sectors) {
    throw Error(
        ErrorCode::invalid_argument, "the layers take {} GiB as images; a guest's disk holds {} GiB",
        used >> 21, k_images_disk_sectors >> 21);
  }
  text += fmt::format("RW {} FLAT \"{}\" 0\n", k_images_disk_sectors - used, padding);
  text += "ddb.adapterType = \"ide\"\n";
  return text;
}

} // namespace pyro::backend::qemu
