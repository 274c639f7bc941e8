#include "kernel_package.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/sha256.hpp>
#include <pyro/base/text.hpp>
#include <pyro/environment/debian.hpp>
#include <pyro/os/atomic_file.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/fd.hpp>

namespace pyro::guest_images {

namespace {

#if defined(__aarch64__)
constexpr const char* k_architecture = "arm64";
#else
constexpr const char* k_architecture = "amd64";
#endif

constexpr const char* k_fetch_purpose = "fetching the kernel of virtual machines";
constexpr std::size_t k_package_limit = 256 << 20;

/// Where this machine is no Debian 12 with sources of its own.
constexpr std::string_view k_default_sources =
    "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian bookworm "
    "main\n"
    "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian "
    "bookworm-updates main\n"
    "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] "
    "http://deb.debian.org/debian-security bookworm-security main\n";

/// What this machine's apt is told of proxies, since the rest of its configuration is not used.
std::string proxy_configuration() {
  const auto program = os::find_program("apt-config");
  if (!program) {
    return "";
  }
  const auto found = os::run(
      {{*program, "dump", "--no-empty", "--format", "%f \"%v\";%n", "Acquire::http::Proxy",
        "Acquire::https::Proxy"}});
  return found.outcome.ok() ? found.out : "";
}

/// An apt that knows nothing of this machine: no packages, no lists, no configuration.
class PrivateApt {
public:
  PrivateApt(std::string scratch, const environment::LineSink& line)
      : m_scratch(std::move(scratch)), m_line(line) {
    for (const auto* part : {"", "/lists/partial", "/archives/partial", "/packages"}) {
      os::make_directories(m_scratch + part, 0755);
    }
    const auto own = environment::debian_sources();
    write("sources.list", own.empty() ? k_default_sources : own);
    write("status", "");
    write(
        "apt.conf",
        fmt::format(
            "{1}Dir::Etc::parts \"/dev/null\";\nDir::Etc::main \"/dev/null\";\n"
            "Dir::Etc::sourceparts \"/dev/null\";\nDir::Etc::sourcelist \"{0}/sources.list\";\n"
            "Dir::State \"{0}\";\nDir::State::lists \"{0}/lists\";\nDir::State::status \"{0}/status\";\n"
            "Dir::Cache \"{0}\";\nDir::Cache::archives \"{0}/archives\";\n"
            "APT::Architecture \"{2}\";\nAPT::Architectures \"{2}\";\n"
            "APT::Sandbox::User \"\";\nAcquire::Languages \"none\";\nAcquire::Retries \"2\";\n",
            m_scratch, proxy_configuration(), k_architecture));
    run("apt-get", {"update", "--error-on=any"}, m_scratch);
  }

  /// The path of the package that was fetched: "linux-image-cloud-amd64", or with "=VERSION".
  std::string fetch(const std::string& package) {
    const auto directory = m_scratch + "/packages/" + package.substr(0, package.find('='));
    os::make_directories(directory, 0755);
    run("apt-get", {"download", package}, directory);
    for (const auto& name : os::list_directory(directory)) {
      if (name.ends_with(".deb")) {
        return directory + "/" + name;
      }
    }
    throw Error(ErrorCode::failed, "apt-get fetched no file for the package {}", package);
  }

  void unpack(const std::string& file, const std::string& tree) {
    run("dpkg-deb", {"--extract", file, tree}, m_scratch);
  }

private:
  void write(const std::string& name, std::string_view text) const {
    os::write_file_atomically(m_scratch + "/" + name, text, 0644, os::Durable::no);
  }

  void run(const std::string& program, std::vector<std::string> arguments, const std::string& directory) {
    os::Command command;
    command.argv = {
        environment::required_program(program, program == "dpkg-deb" ? "dpkg" : "apt", k_fetch_purpose)};
    command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
    command.env = environment::tool_variables(m_scratch);
    command.env->emplace("APT_CONFIG", m_scratch + "/apt.conf");
    command.cwd = directory;
    try {
      environment::run_tool(std::move(command), m_line);
    } catch (Error& error) {
      if (error.code() == ErrorCode::failed) {
        error.with_hint("it needs Debian's package mirror; check the network and this machine's apt sources");
      }
      throw;
    }
  }

  std::string m_scratch;
  const environment::LineSink& m_line;
};

std::string field_of(const std::string& file, const std::string& field) {
  auto value = os::run_checked(
      {{environment::required_program("dpkg-deb", "dpkg", k_fetch_purpose), "--field", file, field}});
  while (value.ends_with('\n')) {
    value.pop_back();
  }
  return value;
}

Json described(const std::string& file) {
  return {
      {"name", field_of(file, "Package")},
      {"version", field_of(file, "Version")},
      {"architecture", field_of(file, "Architecture")},
      {"sha256", sha256_of(os::read_file(file, k_package_limit))}};
}

/// "linux-image-6.1.0-1-cloud-amd64=6.1.1-1" of "linux-image-6.1.0-1-cloud-amd64 (= 6.1.1-1), ...": what the
/// package without a version in its name stands for.
std::string image_of_dependencies(const std::string& dependencies, const std::string& package) {
  constexpr std::string_view k_prefix = "linux-image-";
  const auto end = dependencies.find_first_of(" ,");
  auto name = dependencies.substr(0, end);
  if (!name.starts_with(k_prefix)) {
    throw Error(
        ErrorCode::failed, "the package {} depends on '{}', which is no kernel", package, dependencies);
  }
  const auto equals = dependencies.find("(= ", name.size());
  const auto close = dependencies.find(')', equals == std::string::npos ? name.size() : equals);
  if (equals == std::string::npos || close == std::string::npos) {
    return name;
  }
  return name + "=" + dependencies.substr(equals + 3, close - equals - 3);
}

} // namespace

Json fetch_kernel_package(
    const std::string& tree, const std::string& scratch, const environment::LineSink& line) {
  const auto package = fmt::format("linux-image-cloud-{}", k_architecture);
  PrivateApt apt(scratch, line);
  const auto alias = apt.fetch(package);
  const auto image = apt.fetch(image_of_dependencies(field_of(alias, "Depends"), package));
  os::make_directories(tree, 0755);
  apt.unpack(image, tree);
  return Json::array({described(alias), described(image)});
}

} // namespace pyro::guest_images
