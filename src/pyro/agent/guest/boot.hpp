// The agent as the first process of a virtual machine, from the kernel's start of /init to the point where
// its session with the host begins.
#pragma once

#include <pyro/os/fd.hpp>

#include <functional>

namespace pyro::agent {

/// Were we started by a kernel out of an initramfs of ours?
bool is_guest_init();

struct GuestBoot {
  os::Fd channel;
  os::Fd uppers; // holds <part>/upper of the writable layers
};

/// Follows what the host says (protocol/guest_boot.hpp) until it says "enter". `mounted` is called once the
/// root is there, before the host is told so and may save this guest: what it does no clone has to do.
void boot_guest(const std::function<void(GuestBoot boot)>& mounted);

/// Who goes on after a pause: the guest that was suspended, or a clone of it, which is another machine.
enum class Continuation { same, clone };

/// For a guest that stands still: follows the host until it says how to go on.
Continuation await_continuation(int channel);

/// Writes back what the disks do not have yet and turns the machine off. Never returns.
[[noreturn]] void power_off();

} // namespace pyro::agent
