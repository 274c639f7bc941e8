#include "named_path.hpp"

#include "host_requests.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/os/inside.hpp>

#include <filesystem>

namespace pyro::workspace {

namespace {

std::string as_written(const std::string& directory, const std::string& path) {
  return (std::filesystem::path(directory) / path).lexically_normal().string();
}

[[noreturn]] void tell_the_way_out(Error& error) {
  if (error.code() == ErrorCode::permission && error.error_number() == 0) {
    error.with_hint("name the file that the symlink leads to: what lies elsewhere is asked for (pyro trust)");
  }
  throw error;
}

} // namespace

std::optional<std::string>
maybe_read_named(const std::string& directory, const std::string& path, std::size_t limit) {
  const auto inside = relative_inside(directory, path);
  if (!inside) {
    return os::maybe_read_file(as_written(directory, path), limit);
  }
  try {
    return os::maybe_read_inside(directory, *inside, limit);
  } catch (Error& error) {
    tell_the_way_out(error);
  }
}

std::string resolved_path(const std::string& directory, const std::string& path) {
  const auto inside = relative_inside(directory, path);
  try {
    if (inside) {
      return os::maybe_path_inside(directory, *inside).value_or(as_written(directory, path));
    }
  } catch (Error& error) {
    tell_the_way_out(error);
  }
  std::error_code error;
  const auto real = std::filesystem::weakly_canonical(as_written(directory, path), error).string();
  return error ? as_written(directory, path) : real;
}

} // namespace pyro::workspace
