// Signals, the console and the real engine, handed to the command line.
#include "program.hpp"

#include "wiring.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/output_closed.hpp>
#include <pyro/cli/console.hpp>
#include <pyro/cli/interrupts.hpp>
#include <pyro/cli/main.hpp>

#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fcntl.h>
#include <unistd.h>

namespace pyro::app {

namespace {

constexpr int k_output_closed = 141; // as a shell shows a program that SIGPIPE ended
constexpr int k_internal = 70;

/// A caller may have closed some of 0, 1 and 2. The next files opened would take their place, and what is
/// meant for the terminal would be written into a record or a lock. Reading gives nothing, writing fails.
void occupy_standard_descriptors() {
  for (int wanted = STDIN_FILENO; wanted <= STDERR_FILENO; ++wanted) {
    if (::fcntl(wanted, F_GETFD) >= 0 || errno != EBADF) {
      continue;
    }
    // The lowest free one is taken, always. Programs that are started get it too.
    if (::open("/dev/null", O_RDONLY | O_CLOEXEC) != wanted || ::fcntl(wanted, F_SETFD, 0) < 0) {
      std::abort();
    }
  }
}

} // namespace

int run_program(int argc, char** argv, const cli::McpFront& mcp, const cli::ConfigureSsh& ssh) {
  // Modes inside of layers are the file's business, not the caller's: with 077 the root of a sandbox would be
  // closed to its users. What is private outside is made so by its own mode.
  ::umask(022);
  occupy_standard_descriptors();
  try {
    cli::install_signal_handlers();
    auto console = cli::process_console();
    return cli::run({argv + 1, argv + argc}, console, make_front_engine, mcp, ssh);
  } catch (const OutputClosed&) {
    return k_output_closed;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "pyro: error: %s\n", error.what());
    return k_internal;
  }
}

} // namespace pyro::app
