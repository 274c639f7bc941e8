#include "images_disk.hpp"

#include <pyro/backend/shared/guest_description.hpp>
#include <pyro/base/error.hpp>
#include <pyro/os/atomic_file.hpp>
#include <pyro/os/fd.hpp>

#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

namespace pyro::backend::firecracker {

namespace {

void append(const std::string& path, int target, off_t& end) {
  const auto image = os::open_file(path, O_RDONLY);
  const auto size = static_cast<off_t>(sectors_of(path) * 512);
  file_clone_range range{};
  range.src_fd = image.get();
  range.dest_offset = static_cast<std::uint64_t>(end);
  if (::ioctl(target, FICLONERANGE, &range) < 0) {
    for (off_t from = 0; from < size;) {
      off_t to = end + from;
      const auto count =
          ::copy_file_range(image.get(), &from, target, &to, static_cast<std::size_t>(size - from), 0);
      if (count < 0 && errno == EINTR) {
        continue;
      }
      if (count <= 0) {
        throw Error::from_errno(count < 0 ? errno : EIO, "copy the image " + path);
      }
    }
  }
  end += size;
}

} // namespace

void make_images_disk(const std::vector<std::string>& images, const std::string& target) {
  os::AtomicFile disk(target, 0444);
  off_t end = 0;
  for (const auto& image : images) {
    append(image, disk.fd(), end);
  }
  if (::fchmod(disk.fd(), 0444) < 0) {
    throw Error::from_errno(errno, "chmod " + target);
  }
  disk.commit(os::Durable::no);
}

} // namespace pyro::backend::firecracker
