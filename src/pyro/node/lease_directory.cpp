#include "lease_directory.hpp"

#include <pyro/base/error.hpp>

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <string_view>
#include <unistd.h>

namespace pyro::node {

LeaseDirectory lease_directory() {
  const char* job = std::getenv("SLURM_JOB_ID");
  const std::string_view id = job != nullptr ? job : "";
  if (id.empty() || id.size() > 12
      || !std::all_of(id.begin(), id.end(), [](char c) { return c >= '0' && c <= '9'; })) {
    throw Error(ErrorCode::usage, "pyro-node is started by pyro itself, in a job of Slurm");
  }
  return {fmt::format("/tmp/pyro-{}-{}", ::getuid(), id)};
}

void check_is_ours(const LeaseDirectory& directory) {
  struct stat status {};

  if (::lstat(directory.path.c_str(), &status) != 0) {
    const int error = errno;
    throw Error::from_errno(error, "look at " + directory.path);
  }
  if (!S_ISDIR(status.st_mode) || status.st_uid != ::getuid() || (status.st_mode & 077U) != 0) {
    throw Error(ErrorCode::permission, "{} is not a directory of yours alone", directory.path);
  }
}

} // namespace pyro::node
