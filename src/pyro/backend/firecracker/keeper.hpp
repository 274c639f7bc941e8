// Starts Firecracker so that it cannot outlive this process. As an ordinary user the kernel sees to it; the
// jailer changes its user, which makes the kernel forget, so as root it gets a pid namespace whose first
// process is a keeper of ours.
#pragma once

#include <pyro/os/process.hpp>

#include <string>
#include <vector>

namespace pyro::backend::firecracker {

enum class HostNetwork { kept, taken_away };

/// Standard error stays ours, everything else is closed; the environment is empty. Throws when the program
/// cannot be executed. The child is the keeper and ends as the program does, with everything that the program
/// started.
os::Child start_kept(const std::vector<std::string>& argv, HostNetwork network);

/// The same for an ordinary user, in `directory`: the child is the program itself.
os::Child start_tied(const std::vector<std::string>& argv, const std::string& directory);

} // namespace pyro::backend::firecracker
