#include "programs.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/json_access.hpp>
#include <pyro/base/sha256.hpp>
#include <pyro/os/atomic_file.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/process.hpp>

#include <sys/stat.h>

#include <cstdlib>

namespace pyro::backend::firecracker {

namespace {

std::optional<std::string> find(const char* variable, const char* program) {
  const char* given = std::getenv(variable);
  return given != nullptr && *given != '\0' ? std::optional<std::string>(given) : os::find_program(program);
}

std::string verdict_path(const std::string& directory) {
  return directory + "/firecracker-kvm.json";
}

/// Another program, another kernel or another boot of this machine: to be tried again.
std::string circumstances(const std::string& firecracker, const std::string& kernel_digest) {
  struct stat status {};

  std::ignore = ::stat(firecracker.c_str(), &status);
  return Sha256()
      .field(os::boot_id())
      .field(fmt::format("{} {} {} {}", firecracker, status.st_ino, status.st_size, status.st_mtim.tv_sec))
      .field(kernel_digest)
      .finish();
}

} // namespace

std::optional<std::string> find_firecracker() {
  return find("PYRO_FIRECRACKER", "firecracker");
}

std::optional<std::string> find_jailer() {
  return find("PYRO_JAILER", "jailer");
}

std::optional<KvmVerdict> recall_kvm_verdict(
    const std::string& firecracker, const std::string& directory, const std::string& kernel_digest) {
  try {
    const auto text = os::maybe_read_file(verdict_path(directory), 64 << 10);
    const auto record = text ? parse_json(*text, "firecracker-kvm.json") : Json::object();
    const auto kernel = kernel_digest.empty() ? string_or(record, "kernel_digest", "") : kernel_digest;
    if (string_or(record, "circumstances", "") == circumstances(firecracker, kernel)) {
      return KvmVerdict{get_bool(record, "proved"), get_string(record, "reason")};
    }
  } catch (const Error&) {
    return std::nullopt; // half written: it is tried again
  }
  return std::nullopt;
}

void remember_kvm_verdict(
    const std::string& firecracker, const std::string& directory, const std::string& kernel_digest,
    const KvmVerdict& verdict) {
  os::make_directories(directory);
  os::write_json_atomically(
      verdict_path(directory),
      {{"circumstances", circumstances(firecracker, kernel_digest)},
       {"kernel_digest", kernel_digest},
       {"proved", verdict.proved},
       {"reason", verdict.reason}},
      os::Durable::no);
}

} // namespace pyro::backend::firecracker
