#include "acceleration.hpp"

#include "images_disk.hpp"
#include "machine.hpp"
#include "program.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/sha256.hpp>
#include <pyro/os/atomic_file.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/process.hpp>
#include <pyro/os/random.hpp>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace pyro::backend::qemu {

namespace {

constexpr std::chrono::seconds k_deadline{3};
constexpr const char* k_device = "/dev/kvm";

std::string verdict_path(const std::string& templates_dir) {
  return templates_dir + "/kvm.json";
}

std::string circumstances(const std::string& program, const std::string& kernel_digest) {
  return Sha256().field(os::boot_id()).field(program_identity(program)).field(kernel_digest).finish();
}

/// Why there can be no KVM; empty: it has to be tried.
std::string obstacle() {
  const auto device = ::open(k_device, O_RDWR | O_CLOEXEC);
  const int error_number = errno;
  if (device < 0) {
    return fmt::format("{} cannot be opened: {}", k_device, std::strerror(error_number));
  }
  ::close(device);
  return "";
}

/// Boots to the agent's first word; returns why it did not get there.
std::string
try_to_boot(const std::string& program, const VirtualMachine& machine, const std::string& staging) {
  os::TempDir scratch(machine.templates_dir, "making-kvm");
  MachineFiles files;
  files.kernel = machine.kernel;
  files.initrd = machine.initrd;
  files.images = scratch.path() + "/images";
  files.scratch = scratch.path() + "/scratch";
  for (const auto& path : {files.images, files.scratch}) {
    const auto file = os::open_file(path, O_RDWR | O_CREAT, 0600);
    if (::ftruncate(file.get(), 1 << 20) < 0) {
      return std::strerror(errno);
    }
    give_to_confined(file.get());
  }
  try {
    os::Cgroup cgroup("pyro-kvm-" + os::random_hex(4), {});
    MachineShape shape{Accelerator::kvm, 1, 256, false};
    Machine trial(program, shape, {Memory::anonymous, ImagesFormat::raw, false}, files, staging, cgroup);
    trial.await_monitor(k_deadline);
    trial.resume();
    trial.await_guest(k_deadline);
    return "";
  } catch (const Error& error) {
    return fmt::format(
        "a guest did not come up with KVM within {} s ({})", k_deadline.count(), error.message());
  }
}

Acceleration verdict(const std::string& reason) {
  return {reason.empty() ? Accelerator::kvm : Accelerator::tcg, reason};
}

/// The verdict of the last trial, if nothing has changed since. `kernel_digest`: empty for any.
std::optional<Acceleration>
recall(const std::string& program, const std::string& templates_dir, const std::string& kernel_digest) {
  try {
    const auto text = os::maybe_read_file(verdict_path(templates_dir), 1 << 16);
    const auto record = text ? parse_json(*text, "kvm.json") : Json::object();
    const auto kernel = kernel_digest.empty() ? string_or(record, "kernel_digest", "") : kernel_digest;
    if (string_or(record, "circumstances", "") == circumstances(program, kernel)) {
      return verdict(get_string(record, "reason"));
    }
  } catch (const Error&) {
    // Half written: it is tried again.
  }
  return std::nullopt;
}

} // namespace

Acceleration
choose_acceleration(const std::string& program, const VirtualMachine& machine, const std::string& staging) {
  if (auto reason = obstacle(); !reason.empty()) {
    return verdict(reason);
  }
  if (const auto known = recall(program, machine.templates_dir, machine.kernel_digest)) {
    return *known;
  }
  os::make_directories(machine.templates_dir);
  const auto reason = try_to_boot(program, machine, staging);
  os::write_json_atomically(
      verdict_path(machine.templates_dir),
      {{"circumstances", circumstances(program, machine.kernel_digest)},
       {"kernel_digest", machine.kernel_digest},
       {"reason", reason}},
      os::Durable::no);
  return verdict(reason);
}

Acceleration remembered_acceleration(const std::string& program, const std::string& templates_dir) {
  if (auto reason = obstacle(); !reason.empty()) {
    return verdict(reason);
  }
  return recall(program, templates_dir, "")
      .value_or(Acceleration{Accelerator::tcg, "KVM is tried when the first virtual machine starts"});
}

} // namespace pyro::backend::qemu
