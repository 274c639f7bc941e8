// Memory that a process has touched and does not need now.
#pragma once

namespace pyro::os {

/// Gives it back to the machine: free blocks of the heap, and the stack below the caller. For those who have
/// much to do when they start, and then wait for long.
void give_back_spare_memory();

} // namespace pyro::os
