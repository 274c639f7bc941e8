// SIGINT and SIGTERM as a flag that operations poll; the second SIGINT or SIGTERM ends the program at once,
// whatever it waits for. Also the
// size of the terminal's window, and its way back from raw mode, whatever happens.
#pragma once

namespace pyro::cli {

/// Handlers for SIGINT, SIGTERM, SIGHUP and SIGWINCH; SIGPIPE is ignored (see OutputClosed).
void install_signal_handlers();

/// 0, or the signal that asked us to end.
int interrupting_signal();

inline bool interrupted() {
  return interrupting_signal() != 0;
}

/// True once after each change of the window's size.
bool take_window_change();

/// Raw mode of a terminal while this lives; also put back when a signal or exit() ends the program.
class RawMode {
public:
  explicit RawMode(int terminal);
  ~RawMode();
  RawMode(const RawMode&) = delete;
  RawMode& operator=(const RawMode&) = delete;
};

} // namespace pyro::cli
