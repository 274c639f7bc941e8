#include "done_once.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/atomic_file.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/fd.hpp>

#include <unistd.h>

namespace pyro::agent {

namespace {

constexpr const char* k_directory = "/var/lib/pyro/oneshots";
constexpr std::size_t k_most = 4096;

std::string path_of(const std::string& service) {
  return std::string(k_directory) + "/" + service; // names of services are safe in paths
}

} // namespace

void note_done(const std::string& service, const std::string& digest) {
  os::make_directories(k_directory, 0755);
  os::write_file_atomically(path_of(service), digest + "\n", 0644, os::Durable::yes);
}

bool is_done(const std::string& service, const std::string& digest) {
  try {
    return os::maybe_read_file(path_of(service), k_most) == digest + "\n";
  } catch (const Error&) {
    return false; // somebody put something else there
  }
}

void forget_done(const std::string& service) {
  ::unlink(path_of(service).c_str());
}

} // namespace pyro::agent
