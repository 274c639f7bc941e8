#include "importing.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/safe_text.hpp>
#include <pyro/foreign/import.hpp>
#include <pyro/os/atomic_file.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/inside.hpp>

#include <sys/stat.h>

#include <filesystem>

namespace pyro::workspace {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t k_largest = 1U << 20U;

std::string read_source(const std::string& path) {
  try {
    auto text = os::maybe_read_file(path, k_largest);
    if (!text) {
      throw Error(ErrorCode::input_missing, "there is no {}", path);
    }
    return std::move(*text);
  } catch (const Error& error) {
    const bool is_too_large = error.code() == ErrorCode::protocol;
    if (!is_too_large && error.code() != ErrorCode::invalid_argument) {
      throw;
    }
    throw Error(
        ErrorCode::invalid_file, "{}", is_too_large ? path + " is larger than 1 MiB" : error.message());
  }
}

/// Where the source is looked for: as the caller's shell would.
foreign::ReadBeside reader_beside(const std::string& source) {
  const auto directory = fs::absolute(source).lexically_normal().parent_path().string();
  return [directory](const std::string& relative) -> std::optional<std::string> {
    try {
      return os::maybe_read_inside(directory, relative, k_largest);
    } catch (const Error&) {
      return std::nullopt; // no regular file, or out of the checkout: as if it were not there
    }
  };
}

void require_place(const std::string& path, Overwrite overwrite) {
  struct stat status {};

  if (::lstat(path.c_str(), &status) != 0) {
    return;
  }
  if (overwrite == Overwrite::no) {
    throw Error(ErrorCode::already_exists, "{} is there already", path)
        .with_hint("--force overwrites it; -f NAME writes another");
  }
  if (!S_ISREG(status.st_mode)) {
    throw Error(ErrorCode::permission, "{} is no regular file: it is not overwritten", path);
  }
}

} // namespace

Json import_file(const Project& project, const std::string& source, ImportedKind kind, Overwrite overwrite) {
  const auto path = (fs::path(project.directory) / project.file).lexically_normal().string();
  require_place(path, overwrite);
  require_utf8(source, "the path of the file");
  const auto text = read_source(source);
  const auto beside = reader_beside(source);
  const auto draft = kind == ImportedKind::compose ? foreign::import_compose(text, source, beside)
                                                   : foreign::import_devcontainer(text, source, beside);
  os::write_file_atomically(path, foreign::text_of(draft), 0644);
  Json unmapped = Json::array();
  for (const auto& one : draft.unmapped) {
    unmapped.push_back(
        {{"line", one.place.line},
         {"column", one.place.column},
         {"key", to_utf8(one.key)},
         {"reason", to_utf8(one.reason)},
         {"needed", one.is_needed}});
  }
  return {{"file", path}, {"source", source}, {"unmapped", unmapped}};
}

} // namespace pyro::workspace
