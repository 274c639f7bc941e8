#include "scratch_disk.hpp"

#include "confinement.hpp"

#include <pyro/backend/shared/scratch_disk.hpp>
#include <pyro/base/error.hpp>
#include <pyro/os/atomic_file.hpp>
#include <pyro/os/tree_copy.hpp>

#include <sys/stat.h>

#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

namespace pyro::backend::qemu {

void make_scratch_disk(const std::string& path, std::uint64_t bytes) {
  make_ext4_disk(path, bytes);
  give_to_confined(os::open_file(path, O_RDWR | O_NOFOLLOW).get());
}

std::string copy_scratch_disk(const std::string& from, const std::string& to) {
  const auto source = os::open_file(from, O_RDONLY);
  os::AtomicFile target(to, 0600);
  const auto method = os::copy_content(source.get(), target.fd());

  struct stat status {};

  if (::fstat(source.get(), &status) < 0 || ::ftruncate(target.fd(), status.st_size) < 0) {
    throw Error::from_errno(errno, fmt::format("copy {}", from));
  }
  give_to_confined(target.fd());
  target.commit(os::Durable::no);
  return std::string(os::name_of(method));
}

} // namespace pyro::backend::qemu
