#include "kvm_verdict.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/json_access.hpp>
#include <pyro/base/sha256.hpp>
#include <pyro/base/spare_save.hpp>
#include <pyro/os/atomic_file.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/process.hpp>

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <unistd.h>

namespace pyro::backend {

namespace {

constexpr const char* k_device = "/dev/kvm";

} // namespace

std::string kvm_obstacle() {
  const auto device = ::open(k_device, O_RDWR | O_CLOEXEC);
  const int error_number = errno;
  if (device < 0) {
    return fmt::format("{} cannot be opened: {}", k_device, std::strerror(error_number));
  }
  ::close(device);
  return "";
}

std::string program_identity(const std::string& program) {
  struct stat status {};

  if (::stat(program.c_str(), &status) < 0) {
    throw Error::from_errno(errno, fmt::format("look at {}", program));
  }
  return fmt::format(
      "{}:{}:{}:{}.{}", status.st_dev, status.st_ino, status.st_size, status.st_mtim.tv_sec,
      status.st_mtim.tv_nsec);
}

KvmVerdicts::KvmVerdicts(std::string directory, std::string name, std::string program)
    : m_path(fmt::format("{}/kvm-{}.json", directory, name)), m_program(std::move(program)) {
}

std::string KvmVerdicts::circumstances(const std::string& kernel_digest) const {
  return Sha256().field(os::boot_id()).field(program_identity(m_program)).field(kernel_digest).finish();
}

std::optional<KvmVerdict> KvmVerdicts::recall(const std::string& kernel_digest) const {
  try {
    const auto text = os::maybe_read_file(m_path, 64 << 10);
    const auto record = text ? parse_json(*text, m_path) : Json::object();
    const auto kernel = kernel_digest.empty() ? string_or(record, "kernel_digest", "") : kernel_digest;
    if (string_or(record, "circumstances", "") == circumstances(kernel)) {
      return KvmVerdict{get_bool(record, "proved"), get_string(record, "reason")};
    }
  } catch (const Error&) {
    return std::nullopt; // half written: it is tried again
  }
  return std::nullopt;
}

void KvmVerdicts::remember(const std::string& kernel_digest, const KvmVerdict& verdict) const {
  save_spare(m_path, [&] {
    os::make_directories(std::filesystem::path(m_path).parent_path());
    os::write_json_atomically(
        m_path,
        {{"circumstances", circumstances(kernel_digest)},
         {"kernel_digest", kernel_digest},
         {"proved", verdict.proved},
         {"reason", verdict.reason}},
        os::Durable::no);
  });
}

} // namespace pyro::backend
