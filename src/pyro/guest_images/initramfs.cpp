#include "initramfs.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/atomic_file.hpp>
#include <pyro/os/cpio_writer.hpp>
#include <pyro/os/fd.hpp>

#include <sys/stat.h>

#include <cerrno>

namespace pyro::guest_images {

namespace {

constexpr std::size_t k_initramfs_file_limit = 256 << 20;

/// Without a dynamic linker in there a dynamic program could not be started, and the kernel would only say
/// that it found no init.
std::string read_agent(const std::string& path) {
  auto agent = os::maybe_read_file(path, k_initramfs_file_limit);
  if (!agent) {
    throw Error(ErrorCode::unavailable, "the agent {} is not there", path)
        .with_hint("install pyro again, or name the directory of its programs in PYRO_LIBEXEC");
  }
  return std::move(*agent);
}

} // namespace

InitramfsOutput write_initramfs(const InitramfsInput& input, const std::string& path) {
  std::vector<os::CpioEntry> entries;
  for (const auto* directory : {"dev", "modules", "proc", "root", "run", "sys"}) {
    entries.push_back({directory, S_IFDIR | 0755});
  }
  entries.push_back({"dev/console", S_IFCHR | 0600, {}, 5, 1});
  std::string order;
  for (const auto& name : input.order) {
    entries.push_back(
        {"modules/" + name, S_IFREG | 0644,
         os::read_file(input.modules + "/" + name, k_initramfs_file_limit)});
    order += name + "\n";
  }
  entries.push_back({"modules/order", S_IFREG | 0644, order});
  entries.push_back({"init", S_IFREG | 0755, read_agent(input.agent)});
  os::AtomicFile file(path, 0444);
  if (::fchmod(file.fd(), 0444) < 0) { // whatever the umask: QEMU may run as somebody else
    throw Error::from_errno(errno, fmt::format("chmod {}", path));
  }
  os::write_cpio(file.fd(), entries);
  file.commit();
  const auto written = os::read_file(path, k_initramfs_file_limit);
  return {sha256_of(written), written.size()};
}

} // namespace pyro::guest_images
