#include "program_environment.hpp"

#include "directory.hpp"

#include <algorithm>
#include <cstdlib>
#include <string_view>
#include <unistd.h>
#include <vector>

extern char** environ;

namespace pyro::os {

namespace {

std::optional<std::string> variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? std::optional<std::string>(value) : std::nullopt;
}

std::vector<std::string> program_directories() {
  const auto path =
      variable("PATH").value_or("/usr/local/bin:/usr/bin:/bin") + ":/usr/sbin:/sbin:/usr/local/sbin";
  std::vector<std::string> directories;
  for (std::size_t begin = 0; begin <= path.size();) {
    const auto end = std::min(path.find(':', begin), path.size());
    auto directory = path.substr(begin, end - begin);
    if (directory.starts_with('/')) {
      directories.push_back(std::move(directory));
    }
    begin = end + 1;
  }
  return directories;
}

} // namespace

Variables made_environment() {
  Variables variables{{"LANG", "C.UTF-8"}, {"HOME", "/"}};
  std::string path;
  for (const auto& directory : program_directories()) {
    path += (path.empty() ? "" : ":") + directory;
  }
  variables["PATH"] = path;
  for (const auto* name : {"HOME", "TMPDIR"}) {
    if (auto value = variable(name); value && value->starts_with('/')) {
      variables[name] = std::move(*value);
    }
  }
  return variables;
}

Variables made_environment_with_proxies() {
  auto variables = made_environment();
  for (const auto* name :
       {"http_proxy", "https_proxy", "ftp_proxy", "all_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY",
        "FTP_PROXY", "ALL_PROXY", "NO_PROXY"}) {
    if (auto value = variable(name)) {
      variables[name] = std::move(*value);
    }
  }
  return variables;
}

Variables inherited_environment() {
  Variables variables;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const auto equals = text.find('=');
    if (equals != std::string_view::npos) {
      variables.emplace(text.substr(0, equals), text.substr(equals + 1));
    }
  }
  return variables;
}

std::optional<std::string> find_program(const std::string& name) {
  for (const auto& directory : program_directories()) {
    auto candidate = directory + "/" + name;
    if (::access(candidate.c_str(), X_OK) == 0 && !is_directory(candidate)) {
      return candidate;
    }
  }
  return std::nullopt;
}

} // namespace pyro::os
