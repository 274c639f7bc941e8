#include "disks.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/os/mount.hpp>

#include <linux/blkpg.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mount.h>

#include <cerrno>
#include <fcntl.h>

namespace pyro::agent {

namespace {

constexpr const char* k_images = "/dev/vda";
constexpr const char* k_scratch = "/dev/vdb";
constexpr std::uint64_t k_sector = 512;

os::Fd open_fresh(const char* disk) {
  auto fd = os::open_file(disk, O_RDONLY);
  if (::ioctl(fd.get(), BLKFLSBUF, 0) < 0) {
    throw Error::from_errno(errno, fmt::format("forget what was read of {}", disk));
  }
  return fd;
}

/// Makes a slice of the disk a partition, which the disk itself knows nothing of.
std::string add_partition(int disk, int number, std::uint64_t start, std::uint64_t sectors) {
  blkpg_partition partition{};
  partition.start = static_cast<long long>(start * k_sector);
  partition.length = static_cast<long long>(sectors * k_sector);
  partition.pno = number;
  blkpg_ioctl_arg request{};
  request.op = BLKPG_ADD_PARTITION;
  request.datalen = sizeof(partition);
  request.data = &partition;
  if (::ioctl(disk, BLKPG, &request) < 0) {
    throw Error::from_errno(errno, fmt::format("make image {} a partition", number));
  }
  return fmt::format("{}{}", k_images, number);
}

void mount_image(const std::string& device, const std::string& target) {
  os::make_directories(target, 0755);
  os::mount_at(device, target, "erofs", MS_RDONLY | MS_NODEV, "");
}

} // namespace

void mount_disks(const protocol::GuestMount& mount) {
  const auto images = open_fresh(k_images);
  std::uint64_t start = 0;
  int number = 0;
  const auto next = [&](std::uint64_t sectors) {
    auto device = add_partition(images.get(), ++number, start, sectors);
    start += sectors;
    return device;
  };
  for (std::size_t index = 0; index < mount.layers.size(); ++index) {
    mount_image(next(mount.layers[index]), fmt::format("{}/{}", guest_path::k_layers, index));
  }
  for (const auto& part : mount.parts) {
    mount_image(next(part.sectors), fmt::format("{}/{}", guest_path::k_parts, part.name));
  }
  open_fresh(k_scratch).reset();
  os::make_directories(guest_path::k_scratch, 0755);
  // The host says what is durable (its page cache outlives this machine), so nothing may wait here for long.
  os::mount_at(k_scratch, guest_path::k_scratch, "ext4", MS_NOATIME, "discard,noinit_itable,commit=1");
}

} // namespace pyro::agent
