#include <pyro/base/error.hpp>
#include <pyro/cli/commands.hpp>
#include <pyro/cli/first_file.hpp>
#include <pyro/cli/session.hpp>

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <unistd.h>

namespace pyro::cli {

namespace init_command {

namespace {

constexpr std::string_view k_page = R"(
Writes a first, commented pyro.yaml that suits the directory: it looks for CMakeLists.txt, package.json,
pyproject.toml or requirements.txt, go.mod and Cargo.toml. Needs no network and never overwrites a file.

Examples:
  pyro init && pyro apply
  pyro init -C ../shop --kind node
)";

constexpr std::array k_options{
    Option{"--kind", "", "KIND", "Instead of looking", "cmake|node|python|go|rust|generic"},
};

/// The directory's name as a workspace's: lower case, nothing but letters, digits and dashes.
std::string workspace_name(const std::filesystem::path& directory) {
  std::string name;
  for (const char c :
       std::filesystem::weakly_canonical(std::filesystem::absolute(directory)).filename().string()) {
    const auto lower = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    const bool fits = (lower >= 'a' && lower <= 'z') || (lower >= '0' && lower <= '9');
    if (fits) {
      name += lower;
    } else if (!name.empty() && name.back() != '-') {
      name += '-';
    }
  }
  while (!name.empty() && (name.back() == '-' || name.size() > 40)) {
    name.pop_back();
  }
  return name.empty() || (name[0] >= '0' && name[0] <= '9') ? "work" + (name.empty() ? "" : "-" + name)
                                                            : name;
}

void write_new_file(const std::string& path, std::string_view text) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (fd < 0) {
    const int error = errno;
    if (error == EEXIST) {
      throw Error(ErrorCode::already_exists, "{} is there already", path)
          .with_hint("pyro plan says what it would do; remove it to start again");
    }
    throw Error::from_errno(error, "create " + path);
  }
  while (!text.empty()) {
    const auto written = write(fd, text.data(), text.size());
    if (written < 0 && errno != EINTR) {
      const int error = errno;
      close(fd);
      unlink(path.c_str());
      throw Error::from_errno(error, "write " + path);
    }
    text.remove_prefix(written < 0 ? 0 : static_cast<std::size_t>(written));
  }
  if (close(fd) != 0) {
    const int error = errno;
    throw Error::from_errno(error, "write " + path);
  }
}

int run(Session& session) {
  const auto& arguments = session.arguments();
  const std::filesystem::path directory = arguments.value("directory", ".");
  const auto path = (directory / arguments.value("file", "pyro.yaml")).lexically_normal().string();
  const auto kind = arguments.value("kind", kind_of_directory(directory.string()));
  const auto name = workspace_name(directory);
  write_new_file(path, first_file(kind, name));
  session.conclude({{"file", path}, {"kind", kind}, {"name", name}}, [&](const Json&) {
    return fmt::format("Wrote {} ({}). Read it, then: pyro plan, pyro apply\n", path, kind);
  });
  return 0;
}

} // namespace

} // namespace init_command

constinit const Command k_init{
    .name = "init",
    .summary = "Write a first pyro.yaml for this directory",
    .page = init_command::k_page,
    .run = init_command::run,
    .options = init_command::k_options,
    .takes = Takes::directory | Takes::file | Takes::document,
};

} // namespace pyro::cli
