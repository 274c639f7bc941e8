// Output that goes to whoever reads it, at the pace of the reader.
#pragma once

#include <string_view>

namespace pyro::os {

/// Waits until the descriptor, which may be a pipe without blocking, has taken all. OutputClosed where nobody
/// reads any more.
void write_patiently(int fd, std::string_view bytes);

} // namespace pyro::os
