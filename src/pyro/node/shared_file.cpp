#include "shared_file.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/sha256.hpp>
#include <pyro/os/fd.hpp>

#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>

namespace pyro::node {

namespace {

constexpr std::size_t k_most = 1U << 20U; // as project.cpp takes

std::optional<Json> describe(const std::string& path) {
  struct stat status {};

  const auto text = os::maybe_read_file(path, k_most);
  if (!text || ::stat(path.c_str(), &status) != 0) {
    return std::nullopt;
  }
  return Json{
      {"path", path},
      {"inode", status.st_ino},
      {"changed_s", status.st_ctim.tv_sec},
      {"changed_ns", status.st_ctim.tv_nsec},
      {"digest", Sha256{}.field(*text).finish()}};
}

} // namespace

Json describe_shared(const std::string& path) {
  auto described = describe(path);
  if (!described) {
    throw Error(ErrorCode::input_missing, "there is no {}", path);
  }
  return std::move(*described);
}

void require_shared(const Json& described) {
  const auto path = get_string(described, "path");
  if (describe(path) == described) {
    return;
  }
  const char* node = std::getenv("SLURMD_NODENAME");
  throw Error(
      ErrorCode::input_missing, "{} is not on the node{}{}, or is another file there", path,
      node != nullptr ? " " : "", node != nullptr ? node : "")
      .with_hint(
          "the checkout has to lie on a file system that this machine and the nodes share, by the same path");
}

} // namespace pyro::node
