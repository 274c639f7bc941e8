// pyro-mcp: `pyro mcp serve`, which becomes it.
#include "mcp_front.hpp"
#include "program.hpp"

int main(int argc, char** argv) {
  return pyro::app::run_program(argc, argv, {pyro::app::serve_mcp, {}});
}
