// A parent that holds its child up where something has to be done from outside first.
#pragma once

#include <pyro/os/fd.hpp>

#include <optional>
#include <string>
#include <vector>

namespace pyro::backend {

/// Lets the child at the other end of the socket pair go one step further, with copies of `fds`. A child that
/// has ended is no error: its report says why.
void let_go_on(int socket, const std::vector<int>& fds = {});

/// Blocks for one step, of however many the parent has let it go. nullopt: the parent is gone.
std::optional<std::vector<os::Fd>> await_step(int socket);

/// What the child sent until its end of the pair closed, whether or not it took every step: at most 64 KiB,
/// beyond that Error(protocol).
std::string report_of_child(int socket);

} // namespace pyro::backend
