// What a virtual machine is told and given, whatever runs it.
#pragma once

#include <pyro/backend/backend.hpp>
#include <pyro/os/cgroup.hpp>
#include <pyro/protocol/guest_boot.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace pyro::backend {

/// The size of an image in sectors of 512 bytes. Throws Error(internal) where it is no multiple of 4096
/// bytes.
std::uint64_t sectors_of(const std::string& image);

/// The images of its first disk, in their order there.
std::vector<std::string> images_of(const VirtualMachine& machine);

/// Where on that disk what is to be mounted lies.
protocol::GuestMount mount_of(const VirtualMachine& machine);

/// Without its network.
protocol::GuestEnter identity_of(const LaunchSpec& spec);

/// The resolver's configuration of this machine, as a guest with a network gets it.
std::string resolver_configuration();

/// Of the program that runs the machine: what it takes beside the guest's memory and processors.
os::CgroupLimits limits_of(const LaunchSpec& spec, std::int64_t overhead_bytes, std::int64_t threads);

/// Throws Error(unavailable) for what no virtual machine can show.
void refuse_binds(const LaunchSpec& spec);

/// Of every virtual machine of ours.
Capabilities machine_capabilities();

} // namespace pyro::backend
