#include "path_text.hpp"

namespace pyro {

bool is_below(std::string_view path, std::string_view directory) {
  return path.size() > directory.size() && path.starts_with(directory) && path[directory.size()] == '/';
}

bool is_at_or_below(std::string_view path, std::string_view directory) {
  return path == directory || directory.empty() || directory == "/" || is_below(path, directory);
}

} // namespace pyro
