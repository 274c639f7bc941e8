#include "acceleration.hpp"

#include "images_disk.hpp"
#include "machine.hpp"

#include <pyro/backend/shared/kvm_verdict.hpp>
#include <pyro/base/error.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/random.hpp>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace pyro::backend::qemu {

namespace {

constexpr std::chrono::seconds k_deadline{3};

KvmVerdicts verdicts_of(const std::string& program, const std::string& templates_dir) {
  return {templates_dir, "qemu", program};
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
    Machine trial(
        program, shape, {Memory::anonymous, ImagesFormat::raw, false}, files, staging, cgroup, nullptr);
    trial.await_monitor(k_deadline);
    trial.resume();
    trial.await_guest(k_deadline);
    return "";
  } catch (const Error& error) {
    return fmt::format(
        "a guest did not come up with KVM within {} s ({})", k_deadline.count(), error.message());
  }
}

Acceleration emulated(std::string reason) {
  return {Accelerator::tcg, std::move(reason)};
}

Acceleration acceleration_of(const KvmVerdict& verdict) {
  return verdict.proved ? Acceleration{Accelerator::kvm, ""} : emulated(verdict.reason);
}

} // namespace

Acceleration
choose_acceleration(const std::string& program, const VirtualMachine& machine, const std::string& staging) {
  if (auto reason = kvm_obstacle(); !reason.empty()) {
    return emulated(std::move(reason));
  }
  const auto verdicts = verdicts_of(program, machine.templates_dir);
  if (const auto known = verdicts.recall(machine.kernel_digest)) {
    return acceleration_of(*known);
  }
  os::make_directories(machine.templates_dir);
  const auto reason = try_to_boot(program, machine, staging);
  const KvmVerdict verdict{reason.empty(), reason};
  verdicts.remember(machine.kernel_digest, verdict);
  return acceleration_of(verdict);
}

Acceleration remembered_acceleration(const std::string& program, const std::string& templates_dir) {
  if (auto reason = kvm_obstacle(); !reason.empty()) {
    return emulated(std::move(reason));
  }
  const auto known = verdicts_of(program, templates_dir).recall("");
  return known ? acceleration_of(*known) : emulated("KVM is tried when the first virtual machine starts");
}

} // namespace pyro::backend::qemu
