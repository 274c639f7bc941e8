#include "guest_description.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/os/random.hpp>

#include <sys/stat.h>

#include <cerrno>

namespace pyro::backend {

namespace {

constexpr std::size_t k_entropy_bytes = 64;
constexpr off_t k_alignment = 4096;

} // namespace

std::uint64_t sectors_of(const std::string& image) {
  struct stat status {};

  if (::stat(image.c_str(), &status) < 0) {
    throw Error::from_errno(errno, fmt::format("look at the image {}", image));
  }
  if (status.st_size == 0 || status.st_size % k_alignment != 0) {
    throw Error(
        ErrorCode::internal, "the image {} is {} bytes long, no multiple of {}", image, status.st_size,
        k_alignment);
  }
  return static_cast<std::uint64_t>(status.st_size) / 512;
}

std::vector<std::string> images_of(const VirtualMachine& machine) {
  auto images = machine.layer_images;
  for (const auto& part : machine.part_images) {
    images.push_back(part.path);
  }
  return images;
}

protocol::GuestMount mount_of(const VirtualMachine& machine) {
  protocol::GuestMount mount;
  for (const auto& image : machine.layer_images) {
    mount.layers.push_back(sectors_of(image));
  }
  for (const auto& part : machine.part_images) {
    mount.parts.push_back({part.name, sectors_of(part.path)});
  }
  return mount;
}

protocol::GuestEnter identity_of(const LaunchSpec& spec) {
  protocol::GuestEnter enter;
  enter.hostname = spec.hostname;
  enter.machine_id = machine_id_of(spec);
  enter.epoch_ms = static_cast<std::int64_t>(os::now_epoch() * 1000);
  enter.entropy = os::random_hex(k_entropy_bytes);
  return enter;
}

std::string resolver_configuration() {
  return os::maybe_read_file("/etc/resolv.conf", 64 << 10).value_or("");
}

os::CgroupLimits limits_of(const LaunchSpec& spec, std::int64_t overhead_bytes, std::int64_t threads) {
  os::CgroupLimits limits;
  limits.cpus = spec.limits.cpus;
  limits.memory_bytes = (spec.machine.memory_mib << 20) + overhead_bytes;
  limits.pids = threads + spec.machine.cpus;
  return limits;
}

void refuse_binds(const LaunchSpec& spec) {
  if (!spec.binds.empty() || !spec.live_mounts.empty()) {
    throw Error(ErrorCode::unavailable, "a virtual machine cannot show directories of this machine");
  }
}

Capabilities machine_capabilities() {
  Capabilities capabilities;
  capabilities.upper_on_host = false;
  capabilities.virtual_machine = true;
  return capabilities;
}

} // namespace pyro::backend
