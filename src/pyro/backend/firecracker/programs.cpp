#include "programs.hpp"

#include <pyro/os/process.hpp>

#include <cstdlib>

namespace pyro::backend::firecracker {

namespace {

std::optional<std::string> find(const char* variable, const char* program) {
  const char* given = std::getenv(variable);
  return given != nullptr && *given != '\0' ? std::optional<std::string>(given) : os::find_program(program);
}

} // namespace

std::optional<std::string> find_firecracker() {
  return find("PYRO_FIRECRACKER", "firecracker");
}

std::optional<std::string> find_jailer() {
  return find("PYRO_JAILER", "jailer");
}

KvmVerdicts kvm_verdicts(const std::string& firecracker, const std::string& directory) {
  return {directory, "firecracker", firecracker};
}

} // namespace pyro::backend::firecracker
