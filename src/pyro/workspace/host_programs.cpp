#include "host_programs.hpp"

#include <filesystem>
#include <unistd.h>

namespace pyro::workspace {

namespace fs = std::filesystem;

bool is_shown_by_host(const std::string& program) {
  for (const char* directory :
       {"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"}) {
    std::error_code none;
    const auto path = fs::path(directory) / program;
    if (fs::is_regular_file(path, none) && ::access(path.c_str(), X_OK) == 0) {
      // a link that ends in a home ends nowhere inside
      const auto target = fs::weakly_canonical(path, none).string();
      return target.starts_with("/usr/") || target.starts_with("/opt/");
    }
  }
  return false;
}

bool host_python_has(const std::string& module) {
  // of /usr/bin/python3; another one before it does not see them
  std::error_code none;
  const auto place = fs::path("/usr/lib/python3/dist-packages") / module;
  return !fs::exists("/usr/local/bin/python3", none)
         && (fs::exists(place, none) || fs::exists(place.string() + ".py", none));
}

bool host_python_has_ensurepip() {
  std::error_code none;
  for (const auto& entry : fs::directory_iterator("/usr/lib", none)) {
    if (entry.path().filename().string().starts_with("python3.")
        && fs::exists(entry.path() / "ensurepip/__init__.py", none)) {
      return true;
    }
  }
  return false;
}

} // namespace pyro::workspace
