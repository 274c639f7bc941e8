#include "sandbox_launcher.hpp"

#include "images_disk.hpp"
#include "programs.hpp"

#include <pyro/backend/shared/guest_description.hpp>
#include <pyro/backend/shared/guest_dialogue.hpp>
#include <pyro/backend/shared/scratch_disk.hpp>
#include <pyro/backend/shared/stopwatch.hpp>
#include <pyro/base/error.hpp>
#include <pyro/os/crash_point.hpp>
#include <pyro/os/directory.hpp>

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
constexpr std::int64_t k_overhead_bytes = 128LL << 20; // Firecracker's own, beside the guest's memory
constexpr std::int64_t k_threads = 16;
/// Devices are the whole machine's, whatever state directories there are on it.
constexpr const char* k_tap_records = "/run/pyro/taps";

std::string make_images(const LaunchSpec& spec) {
  auto disk = spec.runtime_dir + "/images.raw";
  make_images_disk(images_of(spec.machine), disk);
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
  request.limits = limits_of(spec, k_overhead_bytes, k_threads);
  return request;
}

protocol::GuestEnter identity_of(const LaunchSpec& spec, const Machine& machine) {
  auto enter = backend::identity_of(spec);
  if (machine.tap) {
    enter.network = true;
    enter.resolv_conf = resolver_configuration();
    enter.address = machine.tap->plan().guest_address;
    enter.netmask = "255.255.255.252";
    enter.gateway = machine.tap->plan().host_address;
  }
  return enter;
}

/// The first start is the trial of KVM.
Machine start(const LaunchSpec& spec, const std::string& firecracker) {
  const auto verdicts = kvm_verdicts(firecracker, spec.machine.templates_dir);
  const auto known = verdicts.recall(spec.machine.kernel_digest);
  if (known && !known->proved) {
    throw Error(ErrorCode::unavailable, "KVM does not run Firecracker's guests here: {}", known->reason)
        .with_hint(k_other_backend);
  }
  auto request = request_for(spec, firecracker);
  request.boot_limit = known ? std::chrono::milliseconds(k_boot_limit) : k_trial_limit;
  const auto remember = [&](const KvmVerdict& verdict) {
    verdicts.remember(spec.machine.kernel_digest, verdict);
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
  refuse_binds(spec);
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
