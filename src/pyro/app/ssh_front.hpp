// `pyro ssh-config`: the blocks of ssh's configuration, and the file that keeps them.
#pragma once

#include <pyro/cli/ssh_front.hpp>

namespace pyro::app {

/// See cli::ConfigureSsh. Error(io) where a file cannot be written.
Json configure_ssh(const cli::SshConfigRequest& request);

} // namespace pyro::app
