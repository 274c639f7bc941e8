#include "project_search.hpp"

#include <pyro/base/error.hpp>

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <unistd.h>

namespace pyro::workspace {

namespace {

namespace fs = std::filesystem;

constexpr const char* k_name = "pyro.yaml";

using Status = struct stat;

/// nullopt: there is nothing of that name, or nobody may look.
std::optional<Status> look_at(const fs::path& path) {
  Status status{};
  return ::stat(path.c_str(), &status) == 0 ? std::optional(status) : std::nullopt;
}

bool is_same(const Status& one, const Status& other) {
  return one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

void require_own(const fs::path& path, const Status& status) {
  if (status.st_uid != ::geteuid()) {
    throw Error(ErrorCode::permission, "{} belongs to another user (id {})", path.string(), status.st_uid)
        .with_hint(fmt::format(
            "a file above the working directory is only used where it and its directory are yours; "
            "-C {} names it",
            path.has_extension() ? path.parent_path().string() : path.string()));
  }
}

} // namespace

std::optional<std::string> project_directory_above() {
  std::error_code failed;
  auto directory = fs::current_path(failed);
  const auto start = failed ? std::nullopt : look_at(directory);
  if (!start || look_at(k_name)) {
    return std::nullopt;
  }
  const char* home_path = std::getenv("HOME");
  const auto home = home_path != nullptr && *home_path == '/' ? look_at(home_path) : std::nullopt;
  auto here = *start;
  std::string way;
  while (directory.has_relative_path() && !(home && is_same(here, *home))) {
    directory = directory.parent_path();
    way += way.empty() ? ".." : "/..";
    const auto above = look_at(directory);
    if (!above || above->st_dev != start->st_dev) {
      break;
    }
    here = *above;
    if (const auto file = look_at(directory / k_name); file && S_ISREG(file->st_mode)) {
      require_own(directory / k_name, *file);
      require_own(directory, here);
      return way;
    }
  }
  return std::nullopt;
}

} // namespace pyro::workspace
