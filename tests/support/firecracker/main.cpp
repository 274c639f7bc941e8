// fake-firecracker: takes Firecracker's options, serves its API, checks every call against its description.
// For tests of backend/firecracker on machines without KVM.
#include "http_server.hpp"

#include <pyro/base/error.hpp>

#include <csignal>
#include <cstdio>
#include <string_view>

int main(int argc, char** argv) {
  using namespace pyro::testing::firecracker;
  std::string socket = "/run/firecracker.socket";
  std::string id = "anonymous-instance";
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (name == "--api-sock" && i + 1 < argc) {
      socket = argv[++i];
    } else if (name == "--id" && i + 1 < argc) {
      id = argv[++i];
    } else {
      std::fprintf(stderr, "fake-firecracker: unknown option %s\n", argv[i]);
      return 153; // Firecracker's own for bad arguments
    }
  }
  std::signal(SIGPIPE, SIG_IGN);
  try {
    MachineModel machine(id);
    return serve(socket, machine);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "fake-firecracker: %s\n", error.what());
    return 1;
  }
}
