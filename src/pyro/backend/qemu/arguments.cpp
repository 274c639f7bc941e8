#include "arguments.hpp"

#include <pyro/protocol/guest_boot.hpp>

#include <fmt/format.h>

namespace pyro::backend::qemu {

namespace {

// A panic restarts the machine, and -no-reboot ends QEMU instead.
constexpr const char* k_kernel_command_line =
    "console=ttyS0 quiet panic=-1 cryptomgr.notests=1 8250.nr_uarts=1 random.trust_cpu=on";

/// Nothing but what a guest of ours uses. microvm would start 20 ms sooner, but under emulation it stops in
/// the timer calibration of Debian's kernel (docs/decisions/0021).
constexpr const char* k_machine =
    "q35,sata=off,usb=off,graphics=off,vmport=off,i8042=off,hpet=off,smbus=off,smm=off,suppress-vmdesc=on";

/// An emulated processor does not speculate, and defences against that are what it is slowest at.
std::string kernel_command_line(bool kvm) {
  return std::string(k_kernel_command_line) + (kvm ? "" : " mitigations=off");
}

std::string image_node(ImagesFormat format) {
  return fmt::format(
      "driver={},node-name=images,read-only=on,file.driver=file,file.read-only=on,file.filename={}",
      format == ImagesFormat::raw ? "raw" : "vmdk", seen::k_images);
}

/// The page cache of this machine outlives the guest, so a flush of the guest's costs nothing here.
std::string scratch_node() {
  return fmt::format(
      "driver=raw,node-name=scratch,discard=unmap,cache.no-flush=on,file.driver=file,file.discard=unmap,"
      "file.cache.no-flush=on,file.filename={}",
      seen::k_scratch);
}

} // namespace

std::string_view name_of(Accelerator accelerator) {
  return accelerator == Accelerator::kvm ? "kvm" : "tcg";
}

std::vector<std::string> arguments(const MachineShape& shape, const StartMode& mode) {
  const bool kvm = shape.accelerator == Accelerator::kvm;
  std::vector<std::string> argv{
      "-nodefaults", "-no-user-config",
      "-no-reboot",  "-S",
      "-display",    "none",
      "-machine",    std::string(k_machine) + (mode.memory == Memory::anonymous ? "" : ",memory-backend=ram"),
      "-accel",      kvm ? "kvm" : "tcg,thread=multi,tb-size=128",
      "-cpu",        kvm ? "host,migratable=on" : "max,la57=off",
      "-smp",        std::to_string(shape.cpus),
      "-m",          fmt::format("{}M", shape.memory_mib),
      "-rtc",        "base=utc",
      "-sandbox",    "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
      "-chardev",    fmt::format("socket,id=qmp,fd={}", k_qmp_fd),
      "-mon",        "chardev=qmp,mode=control",
      "-chardev",    fmt::format("socket,id=console,fd={}", k_console_fd),
      "-serial",     "chardev:console",
      "-chardev",    fmt::format("socket,id=agent,fd={}", k_channel_fd),
      "-device",     "virtio-serial-pci",
      "-device",     fmt::format("virtserialport,chardev=agent,name={}", protocol::k_guest_port_name),
      "-blockdev",   image_node(mode.images),
      "-device",     "virtio-blk-pci,drive=images",
      "-blockdev",   scratch_node(),
      "-device",     "virtio-blk-pci,drive=scratch",
      "-object",     "rng-random,id=entropy,filename=/dev/urandom",
      "-device",     "virtio-rng-pci,rng=entropy"};
  if (mode.memory != Memory::anonymous) {
    argv.insert(
        argv.end(),
        {"-object", fmt::format(
                        "memory-backend-file,id=ram,size={}M,mem-path={},share={}", shape.memory_mib,
                        seen::k_memory, mode.memory == Memory::shared_file ? "on" : "off")});
  }
  if (shape.network) {
    argv.insert(
        argv.end(), {"-netdev", "user,id=net,ipv6=off", "-device",
                     "virtio-net-pci,netdev=net,mac=52:54:00:12:34:56,romfile="});
  }
  if (mode.incoming) {
    // It has its kernel in memory. The state is saved without a configuration section (see saved_guest.cpp).
    argv.insert(argv.end(), {"-global", "migration.send-configuration=off", "-incoming", "defer"});
  } else {
    argv.insert(
        argv.end(),
        {"-kernel", seen::k_kernel, "-initrd", seen::k_initrd, "-append", kernel_command_line(kvm)});
  }
  return argv;
}

} // namespace pyro::backend::qemu
