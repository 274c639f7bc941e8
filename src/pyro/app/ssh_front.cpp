#include "ssh_front.hpp"

#include "wiring.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/safe_text.hpp>
#include <pyro/os/atomic_file.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/process.hpp>
#include <pyro/store/layout.hpp>

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>

namespace pyro::app {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t k_largest_config = 16U << 20U;

std::string replaced(std::string_view text, char what, std::string_view by) {
  std::string result;
  for (const char c : text) {
    result += c == what ? std::string(by) : std::string(1, c);
  }
  return result;
}

/// For a ProxyCommand, which a shell runs after ssh has replaced its own %-words.
std::string shell_word(std::string_view text) {
  return "'" + replaced(replaced(text, '\'', "'\\''"), '%', "%%") + "'";
}

/// For a file name in ssh's configuration.
std::string file_word(std::string_view path) {
  return "\"" + replaced(path, '%', "%%") + "\"";
}

std::string block(const cli::SshHost& host, const store::Base& base, const std::string& server) {
  const char* home = std::getenv("PYRO_HOME");
  const bool is_elsewhere = home != nullptr && *home != '\0'; // an editor may not have our variables
  const auto keys = base.root() + "/ssh";
  return fmt::format(
      "Host {}\n"
      "  User pyro\n"
      "  ProxyCommand {}{} {}\n"
      "  HostKeyAlias pyro\n"
      "  UserKnownHostsFile {}\n"
      "  StrictHostKeyChecking yes\n"
      "  UpdateHostKeys no\n"
      "  IdentityFile {}\n"
      "  IdentitiesOnly yes\n"
      "  ForwardAgent no\n"
      "  ForwardX11 no\n",
      host.host, is_elsewhere ? fmt::format("env PYRO_HOME={} ", shell_word(base.root())) : "",
      shell_word(server), host.workspace, file_word(keys + "/known_hosts"), file_word(keys + "/client_key"));
}

fs::path ssh_directory() {
  const char* home = std::getenv("HOME");
  if (home == nullptr || *home == '\0') {
    throw Error(ErrorCode::usage, "HOME is not set: where is the configuration of ssh?");
  }
  return fs::path(home) / ".ssh";
}

/// ssh takes the first value that it finds, so ours has to come before what is there for every host.
void include(const fs::path& config, const std::string& path) {
  const auto line = fmt::format("Include {}\n", file_word(path));
  const auto file = fs::weakly_canonical(config).string(); // a symlink stays one
  const auto before = os::maybe_read_file(file, k_largest_config).value_or("");
  if (before.starts_with(line) || before.find("\n" + line) != std::string::npos) {
    return;
  }

  struct stat status {};

  const bool is_there = ::stat(file.c_str(), &status) == 0;
  os::write_file_atomically(file, line + before, is_there ? status.st_mode & 07777 : 0600);
}

} // namespace

Json configure_ssh(const cli::SshConfigRequest& request) {
  const auto base = store::Base::from_environment();
  base.prepare();
  require_utf8(base.root(), "the path of pyro's state directory");
  const auto server = libexec_directory() + "/pyro-ssh";
  os::Command keys;
  keys.argv = {server, "--keys"};
  keys.env = os::made_environment();
  (*keys.env)["PYRO_HOME"] = base.root();
  std::ignore = os::run_checked(std::move(keys));

  std::string config = "# Made by `pyro ssh-config`, which writes it anew.\n";
  Json hosts = Json::array();
  for (const auto& host : request.hosts) {
    config += "\n" + block(host, base, server);
    hosts.push_back({{"host", host.host}, {"workspace", host.workspace}});
  }
  const auto directory = ssh_directory();
  const auto path = (directory / "config.d" / "pyro").string();
  if (request.write) {
    os::make_directories((directory / "config.d").string());
    os::write_file_atomically(path, config, 0600);
    include(directory / "config", path);
  }
  return {{"config", config}, {"path", path}, {"hosts", hosts}, {"written", request.write}};
}

} // namespace pyro::app
