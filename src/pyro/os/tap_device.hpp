// TAP devices: network devices whose other end is a descriptor, as virtual machine monitors open them.
#pragma once

#include "fd.hpp"

#include <sys/types.h>

#include <string>

namespace pyro::os {

struct TapOwner {
  uid_t uid = 0;
  gid_t gid = 0;
};

/// A device that stays when the process ends; who has this uid (or gid) may open it. `alias` says whose it
/// is: no device without it is ever left, however this process ends. False: the name is taken.
bool make_tap(const std::string& name, const TapOwner& owner, const std::string& alias);

/// The other end of a device that is there: each read is a frame from the host, each write one to it.
Fd open_tap(const std::string& name);

} // namespace pyro::os
