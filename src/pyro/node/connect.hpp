// `pyro-node connect`: a step of the lease that carries bytes between its standard streams and the lease's
// process (serve.hpp).
#pragma once

#include <string>
#include <string_view>

namespace pyro::node {

/// The line that comes before everything else on standard output, so that what a site's prolog prints is not
/// taken for it: "pyro-node 1 VERSION".
std::string greeting();

/// Is it a greeting? And of which version of pyro?
bool is_greeting(std::string_view line);
std::string_view version_in(std::string_view greeting);

/// Until either end closes. Waits for the lease's process, which may just be starting. The exit status.
int connect();

} // namespace pyro::node
