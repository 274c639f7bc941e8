// The end of those who read what this program writes.
#pragma once

namespace pyro {

/// Thrown when who reads our output has gone (`pyro ls | head -1`): no error to report, only an end.
struct OutputClosed {};

} // namespace pyro
