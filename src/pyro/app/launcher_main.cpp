// pyro-launcher: runs operations for fronts that have threads, each in a process of its own. Started by them,
// with a socket as descriptor 3; it ends when that closes.
#include "wiring.hpp"

#include <pyro/base/error.hpp>
#include <pyro/launcher/serve.hpp>

#include <sys/stat.h>

#include <cstdio>
#include <exception>

namespace {

constexpr int k_control = 3;

} // namespace

int main() {
  struct stat status {};

  if (::fstat(k_control, &status) != 0 || !S_ISSOCK(status.st_mode)) {
    std::fputs("pyro-launcher is started by pyro itself\n", stderr);
    return pyro::exit_status_of(pyro::ErrorCode::usage);
  }
  ::umask(022); // as in main.cpp: modes inside of layers are the file's business
  try {
    pyro::launcher::serve(k_control, pyro::app::make_front_engine);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "pyro-launcher: %s\n", error.what());
    return pyro::exit_status_of(pyro::ErrorCode::internal);
  }
}
