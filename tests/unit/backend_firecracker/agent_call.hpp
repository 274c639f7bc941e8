// One command run by the agent at the other end of a channel.
#pragma once

#include <pyro/os/fd.hpp>

#include <string>
#include <vector>

namespace pyro::backend::firecracker {

/// What the command printed, with the reason where it could not be run; empty: no answer came.
std::string run_inside(os::Fd channel, const std::vector<std::string>& argv);

} // namespace pyro::backend::firecracker
