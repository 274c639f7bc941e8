#include "project.hpp"

#include <pyro/base/sha256.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/fd.hpp>

#include <cstdlib>
#include <filesystem>

namespace pyro::workspace {

namespace {

constexpr std::size_t k_max_file = 1 << 20;

namespace fs = std::filesystem;

fs::path path_of(const Project& project) {
  const fs::path file(project.file);
  return file.is_absolute() ? file : fs::path(project.directory) / file;
}

std::string read_spec(const fs::path& path) {
  auto text = os::maybe_read_file(path.string(), k_max_file);
  if (!text) {
    throw Error(ErrorCode::input_missing, "there is no {}", path.lexically_normal().string())
        .with_hint("`pyro init` writes a first one; -f FILE or -C DIRECTORY names another");
  }
  return std::move(*text);
}

spec::ParseOptions options_of(const Project& project, const fs::path& path) {
  spec::ParseOptions options;
  options.file = path.lexically_normal().string();
  options.directory = fs::absolute(path).lexically_normal().parent_path().filename().string();
  if (!project.profile.empty()) {
    options.profile = project.profile;
  }
  options.vars = project.vars;
  options.host_env = [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    return value ? std::optional<std::string>(value) : std::nullopt;
  };
  return options;
}

} // namespace

spec::ParseResult parse_project(const Project& project, std::string& shown) {
  const auto path = path_of(project);
  shown = path.lexically_normal().string();
  return spec::parse_spec(read_spec(path), options_of(project, path));
}

LoadedProject load_project(const Project& project) {
  const auto path = path_of(project);
  const auto text = read_spec(path);
  const auto options = options_of(project, path);
  LoadedProject loaded{spec::parse_spec_or_throw(text, options)};
  loaded.file = fs::weakly_canonical(fs::absolute(path)).string();
  loaded.directory = fs::path(loaded.file).parent_path().string();
  loaded.shown = options.file;
  loaded.host_compat = project.allow_host_compat ? HostCompat::allowed : HostCompat::refused;
  loaded.identity = Sha256{}.field(loaded.spec.name).field(loaded.directory).finish().substr(0, 24);
  return loaded;
}

std::string find_project_file(const Project& project) {
  const auto path = path_of(project);
  return os::exists(path.string()) ? fs::weakly_canonical(fs::absolute(path)).string() : std::string{};
}

} // namespace pyro::workspace
