// pyro-node: what of pyro runs on a node that a scheduler lends. `serve` is the foreground process of the
// lease, `connect` a step of it that carries a connection; both are started by pyro, through Slurm. `carry
// BASE KEY` runs where the workspace is used, and listens there for its ports.
#include "wiring.hpp"

#include <pyro/base/error.hpp>
#include <pyro/node/connect.hpp>
#include <pyro/node/port_carrier.hpp>
#include <pyro/node/serve.hpp>

#include <sys/stat.h>

#include <cstdio>
#include <exception>
#include <string_view>

int main(int argc, char** argv) {
  const std::string_view what = argc > 1 ? argv[1] : "";
  if (!(argc == 2 && (what == "serve" || what == "connect")) && !(argc == 4 && what == "carry")) {
    std::fputs("pyro-node is started by pyro itself\n", stderr);
    return pyro::exit_status_of(pyro::ErrorCode::usage);
  }
  ::umask(022); // as in main.cpp: modes inside of layers are the file's business
  try {
    if (what == "carry") {
      return pyro::node::carry_ports(argv[2], argv[3], pyro::app::libexec_directory() + "/pyro-node");
    }
    return what == "serve" ? pyro::node::serve(pyro::app::make_wired_engine) : pyro::node::connect();
  } catch (const pyro::Error& error) {
    std::fprintf(stderr, "pyro-node: %s\n", error.what());
    return pyro::exit_status_of(error.code());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "pyro-node: %s\n", error.what());
    return pyro::exit_status_of(pyro::ErrorCode::internal);
  }
}
