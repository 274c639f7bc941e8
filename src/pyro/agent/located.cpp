#include "located.hpp"

namespace pyro::agent {

namespace {

std::string& directory_of_workspace() {
  static std::string s_directory;
  return s_directory;
}

} // namespace

void set_workspace_directory(std::string directory) {
  directory_of_workspace() = std::move(directory);
}

bool is_workspace_elsewhere() {
  return !directory_of_workspace().empty();
}

std::string located(const std::string& path) {
  constexpr std::string_view k_name = "/workspace";
  const auto& directory = directory_of_workspace();
  const bool is_below =
      path.starts_with(k_name) && (path.size() == k_name.size() || path[k_name.size()] == '/');
  return directory.empty() || !is_below ? path : directory + path.substr(k_name.size());
}

} // namespace pyro::agent
