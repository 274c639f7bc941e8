#include "sandbox_launcher.hpp"

#include "images_disk.hpp"
#include "programs.hpp"

#include <pyro/backend/shared/guest_dialogue.hpp>
#include <pyro/backend/shared/scratch_disk.hpp>
#include <pyro/backend/shared/stopwatch.hpp>
#include <pyro/base/error.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/os/crash_point.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/random.hpp>

#include <unistd.h>

namespace pyro::backend::firecracker {

namespace {

using namespace std::chrono_literals;

/// With a KVM that works a guest of ours listens after a second or two; one that never does is not waited
/// for.
constexpr auto k_trial_limit = 10s;
constexpr auto k_boot_limit = 30s;
constexpr auto k_word_limit = 10s;
constexpr auto k_mount_limit = 60s;
constexpr auto k_enter_limit = 20s;
constexpr const char* k_other_backend = "backend: qemu emulates a processor where KVM is of no use";
constexpr std::size_t k_entropy_bytes = 64;
constexpr std::int64_t k_overhead_bytes = 128LL << 20; // Firecracker's own, beside the guest's memory
constexpr std::int64_t k_threads = 16;
/// Devices are the whole machine's, whatever state directories there are on it.
constexpr const char* k_tap_records = "/run/pyro/taps";

os::CgroupLimits limits_of(const LaunchSpec& spec) {
  return {
      spec.limits.cpus, (spec.machine.memory_mib << 20) + k_overhead_bytes, k_threads + spec.machine.cpus};
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

std::string make_images(const LaunchSpec& spec) {
  auto images = spec.machine.layer_images;
  for (const auto& part : spec.machine.part_images) {
    images.push_back(part.path);
  }
  auto disk = spec.runtime_dir + "/images.raw";
  make_images_disk(images, disk);
  return disk;
}

std::string prepare_scratch(const LaunchSpec& spec) {
  auto scratch = spec.generation_dir + "/scratch.img";
  if (!os::exists(scratch)) {
    make_ext4_disk(scratch, static_cast<std::uint64_t>(spec.machine.scratch_bytes));
  }
  return scratch;
}

MachineLaunch request_for(const LaunchSpec& spec, const std::string& firecracker) {
  MachineLaunch request;
  request.name = spec.cgroup_name;
  request.directory = spec.runtime_dir;
  request.firecracker = firecracker;
  request.jailer = find_jailer().value_or("");
  if (::geteuid() == 0 && request.jailer.empty()) {
    throw Error(ErrorCode::unavailable, "root runs Firecracker in its jailer, which is not installed")
        .with_hint("install `jailer` of the same release as `firecracker`");
  }
  request.machine.vcpus = static_cast<int>(spec.machine.cpus);
  request.machine.memory_mib = spec.machine.memory_mib;
  request.machine.kernel_path = spec.machine.kernel;
  request.machine.initrd_path = spec.machine.initrd;
  request.machine.boot_args = boot_arguments();
  request.machine.drives = {
      {"images", make_images(spec), DriveAccess::read_only},
      {"scratch", prepare_scratch(spec), DriveAccess::read_write}};
  if (spec.egress) {
    request.network.emplace();
    request.network->record_dir = k_tap_records;
  }
  request.limits = limits_of(spec);
  return request;
}

protocol::GuestEnter identity_of(const LaunchSpec& spec, const Machine& machine) {
  protocol::GuestEnter enter;
  enter.hostname = spec.hostname;
  enter.machine_id = machine_id_of(spec);
  enter.epoch_ms = static_cast<std::int64_t>(os::now_epoch() * 1000);
  enter.entropy = os::random_hex(k_entropy_bytes);
  if (machine.tap) {
    enter.network = true;
    enter.resolv_conf = os::maybe_read_file("/etc/resolv.conf", 64 << 10).value_or("");
    enter.address = machine.tap->plan().guest_address;
    enter.netmask = "255.255.255.252";
    enter.gateway = machine.tap->plan().host_address;
  }
  return enter;
}

/// The first start is the trial of KVM.
Machine start(const LaunchSpec& spec, const std::string& firecracker) {
  const auto& directory = spec.machine.templates_dir;
  const auto known = recall_kvm_verdict(firecracker, directory, spec.machine.kernel_digest);
  if (known && !known->proved) {
    throw Error(ErrorCode::unavailable, "KVM does not run Firecracker's guests here: {}", known->reason)
        .with_hint(k_other_backend);
  }
  auto request = request_for(spec, firecracker);
  request.boot_limit = known ? std::chrono::milliseconds(k_boot_limit) : k_trial_limit;
  const auto remember = [&](const KvmVerdict& verdict) {
    remember_kvm_verdict(firecracker, directory, spec.machine.kernel_digest, verdict);
  };
  std::optional<Machine> machine;
  try {
    machine.emplace(launch(request));
  } catch (const Error& error) {
    if (known || error.code() != ErrorCode::timeout) {
      throw;
    }
    remember({false, error.message()});
    throw Error(ErrorCode::unavailable, "KVM does not run Firecracker's guests here: {}", error.message())
        .with_hint(k_other_backend);
  }
  GuestDialogue(machine->channel.get()).await_guest(k_word_limit);
  if (!known) {
    remember({true, ""});
  }
  return std::move(*machine);
}

} // namespace

Machine launch(const LaunchSpec& spec) {
  const auto firecracker = find_firecracker();
  if (!firecracker) {
    throw Error(ErrorCode::unavailable, "firecracker is not installed");
  }
  if (!spec.binds.empty()) {
    throw Error(ErrorCode::unavailable, "a virtual machine cannot show directories of this machine");
  }
  os::make_directories(spec.generation_dir);
  auto machine = start(spec, *firecracker);
  os::crash_point("firecracker.started");
  Json timings = Json::object();
  Stopwatch watch(timings);
  GuestDialogue guest(machine.channel.get());
  guest.ask(protocol::to_json(mount_of(spec.machine)), k_mount_limit);
  watch.lap("then_mounted");
  guest.ask(protocol::to_json(identity_of(spec, machine)), k_enter_limit);
  watch.lap("then_entered");
  machine.timings.update(timings);
  return machine;
}

} // namespace pyro::backend::firecracker
